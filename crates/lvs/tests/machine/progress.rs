//! How checks are getting on, as a dump shows it.

use std::time::Duration;

use lvs::CheckerProgress;
use model::lvs::Outcome;
use steadfast_lvs as lvs;

use super::rig::Rig;

const FILE: &str = "\
global_defs {
    script_user root
}
track_file f {
    file /f
}
virtual_server 192.0.2.1 80 {
    delay_loop 10
    protocol TCP
    warmup 0
    retry 3
    delay_before_retry 1
    real_server 10.0.0.1 80 {
        weight 7
        TCP_CHECK {
        }
        MISC_CHECK {
            misc_path /check
            misc_dynamic
        }
        FILE_CHECK {
            track_file f
            weight 2
        }
    }
    real_server 10.0.0.2 80 {
        TCP_CHECK {
            warmup 100
            alpha
        }
    }
}
virtual_server 192.0.2.2 80 {
    ha_suspend
    protocol TCP
    warmup 0
    real_server 10.0.0.3 80 {
        TCP_CHECK {
        }
    }
}
";

fn checkers(rig: &Rig, server: usize) -> (bool, Vec<CheckerProgress>) {
    let progress = rig.director.progress().nth(server).unwrap();
    (progress.is_in_table, progress.checkers)
}

#[test]
fn each_checker_says_how_it_is_getting_on() {
    let mut rig = Rig::new(1);
    rig.answers.insert("/check".to_owned(), Outcome::PassedWithWeight(5));
    rig.load(FILE);
    rig.run(Duration::from_secs(1));
    rig.tell(lvs::Event::File { name: "f", value: 4 });
    let (is_in_table, of) = checkers(&rig, 0);
    assert!(is_in_table && of.iter().all(|one| one.is_awake && one.has_told && one.failures == 0), "{of:?}");
    assert_eq!(of.iter().map(|one| one.offset).collect::<Vec<_>>(), [0, -2, 8]);
    assert_eq!(of[0].began, Some(model::Instant::ZERO));
    assert_eq!(of[1].outcome, Some(Outcome::PassedWithWeight(5)));

    let (is_in_table, of) = checkers(&rig, 1);
    assert!(!is_in_table && of[0].is_awake && !of[0].has_told && of[0].outcome.is_none(), "{of:?}");
    let (is_in_table, of) = checkers(&rig, 2);
    assert!(is_in_table && !of[0].is_awake && !of[0].has_told, "{of:?}");

    rig.answers.insert("10.0.0.1".to_owned(), Outcome::Failed("gone".into()));
    rig.run(Duration::from_millis(11_500));
    let (is_in_table, of) = checkers(&rig, 0);
    assert!(is_in_table && (1..=3).contains(&of[0].failures), "it is tried again: {of:?}");
    assert_eq!(of[0].outcome, Some(Outcome::Failed("gone".into())));
    rig.run(Duration::from_secs(5));
    let (is_in_table, of) = checkers(&rig, 0);
    assert!(!is_in_table && of[0].failures == 0, "{of:?}");
}
