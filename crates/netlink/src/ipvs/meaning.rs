//! What the kernel's errors mean here: the system's texts for them speak of files and processes.

use super::request::Request;
use crate::errno::Errno;

/// What is wrong, where the bare error would not say.
pub(super) fn meaning(request: &Request, errno: Errno) -> Option<String> {
    match (request, errno) {
        (Request::AddService(_, settings) | Request::SetService(_, settings), Errno::ENOENT) => {
            let scheduler = &settings.scheduler;
            Some(match &settings.engine {
                None => format!(
                    "the kernel has no scheduler `{scheduler}`, nor a module ip_vs_{scheduler} to load"
                ),
                Some(engine) => format!(
                    "the kernel has no scheduler `{scheduler}` or no persistence engine `{engine}`, nor modules \
                     ip_vs_{scheduler} and ip_vs_pe_{engine} to load"
                ),
            })
        }
        (
            Request::SetService(..) | Request::AddDestination(..) | Request::SetDestination(..),
            Errno::ESRCH,
        ) => Some("something else has taken the service out of the table".into()),
        (Request::SetDestination(..), Errno::ENOENT) => {
            Some("something else has taken it out of the table".into())
        }
        (Request::AddService(..) | Request::AddDestination(..), Errno::EEXIST) => {
            Some("something else has added it".into())
        }
        (Request::AddService(..), Errno::EAFNOSUPPORT) => {
            Some("the kernel's IPVS does not know this address family".into())
        }
        (Request::StartSide(_, side), Errno::ENODEV) => {
            Some(format!("this host has no interface {}", side.interface))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::Family;
    use model::ipvs::ServiceKey;

    use super::*;
    use crate::ipvs::terms::Settings;

    #[test]
    fn a_scheduler_that_the_kernel_lacks_is_named() {
        let key = ServiceKey::Fwmark { mark: 5, family: Family::V4 };
        let settings = |engine: Option<&str>| Settings {
            scheduler: "mh".into(),
            flags: 0,
            timeout: 0,
            mask: 0,
            engine: engine.map(Into::into),
        };
        let told = |engine, errno| meaning(&Request::AddService(key, settings(engine)), errno);
        let plain = told(None, Errno::ENOENT).unwrap();
        assert!(plain.contains("scheduler `mh`") && !plain.contains("engine"), "{plain}");
        let both = told(Some("sip"), Errno::ENOENT).unwrap();
        assert!(both.contains("scheduler `mh`") && both.contains("engine `sip`"), "{both}");
        assert_eq!(told(None, Errno::EPERM), None, "the system's text says it");
        assert_eq!(meaning(&Request::DeleteService(key), Errno::ENOENT), None);
    }
}
