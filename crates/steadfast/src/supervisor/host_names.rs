//! Names of routing tables, protocols and the like, which files of the host have.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use config::{Code, Diagnostic, Loaded, Severity};
use model::route::{Encap, Hop, Path as Ways, Protocol, Realm, Realms, Route, RouteTable, Table, Tos};
use model::rule::{Action, LookupTable, Rule};
use model::vrrp::Config;
use model::{IproutePaths, Named, Scope};

/// A warning for each name that the configuration uses and this host does not have.
pub(super) fn missing(loaded: &Loaded) -> Vec<Diagnostic> {
    let mut tables = Tables::new(&loaded.config.global.files.iproute);
    let mut missing = Vec::new();
    for name in &loaded.names {
        if tables.number(name.file, &name.name).is_none() {
            let headline = format!("this host does not know `{}` as {}", name.name, name.what);
            let mut diagnostic = Diagnostic::new(Severity::Warning, Code::MissingName, name.span, headline);
            let file = Path::new(&tables.paths.local).join(name.file);
            diagnostic.help = Some(format!("add it to `{}`, or write the number", file.display()));
            missing.push(diagnostic);
        }
    }
    missing
}

/// Puts numbers in the place of names. Routes and rules with a name that this host does not have are left out, as
/// [`missing`] tells; an address has the usual scope instead, and a link the usual
/// group.
pub(super) fn look_up(config: &mut Config, paths: &IproutePaths) {
    let mut tables = Tables::new(paths);
    for instance in &mut config.instances {
        for address in &mut instance.addresses {
            tables.scope(&mut address.scope);
        }
        if let Some(own) = &mut instance.own_device {
            tables.link_group(own.group_mut());
        }
        instance.routes.retain_mut(|route| tables.route(route).is_some());
        instance.rules.retain_mut(|rule| tables.rule(rule).is_some());
    }
    for address in &mut config.statics.addresses {
        tables.scope(&mut address.item.scope);
    }
    config.statics.routes.retain_mut(|route| tables.route(&mut route.item).is_some());
    config.statics.rules.retain_mut(|rule| tables.rule(&mut rule.item).is_some());
}

/// The files that have been read.
struct Tables<'a> {
    paths: &'a IproutePaths,
    read: BTreeMap<String, BTreeMap<String, u32>>,
}

impl<'a> Tables<'a> {
    const fn new(paths: &'a IproutePaths) -> Self {
        Self { paths, read: BTreeMap::new() }
    }

    /// The number of `name` in `file`, a path or a name in the folders of iproute2.
    fn number(&mut self, file: &str, name: &str) -> Option<u32> {
        if !self.read.contains_key(file) {
            self.read.insert(file.to_owned(), names_in(file, self.paths));
        }
        self.read.get(file)?.get(name).copied()
    }

    /// Puts the number in the place of the name; `None` if there is none.
    fn set<T>(&mut self, named: &mut Named<T>, file: &str, number: impl Fn(u32) -> Option<T>) -> Option<()> {
        if let Named::Name(name) = named {
            *named = Named::Number(number(self.number(file, name)?)?);
        }
        Some(())
    }

    fn scope(&mut self, scope: &mut Named<Scope>) {
        if self.set(scope, "rt_scopes", |number| byte(number).map(Scope)).is_none() {
            *scope = Named::Number(Scope::GLOBAL);
        }
    }

    fn link_group(&mut self, group: &mut Named<u32>) {
        if self.set(group, "group", Some).is_none() {
            *group = Named::Number(0);
        }
    }

    fn route(&mut self, route: &mut Route) -> Option<()> {
        self.set(&mut route.tos, "rt_dsfield", |number| byte(number).map(Tos))?;
        self.set(&mut route.protocol, "rt_protos", |number| byte(number).map(Protocol))?;
        self.set(&mut route.scope, "rt_scopes", |number| byte(number).map(Scope))?;
        if let RouteTable::Table(table) = &mut route.table {
            self.set(table, "rt_tables", |number| Some(Table(number)))?;
        }
        match &mut route.path {
            Ways::None => Some(()),
            Ways::Single(hop) => self.hop(hop),
            Ways::Multipath(hops) => hops.iter_mut().try_for_each(|weighted| self.hop(&mut weighted.hop)),
        }
    }

    fn hop(&mut self, hop: &mut Hop) -> Option<()> {
        let tos = match &mut hop.encap {
            Some(Encap::Ip(tunnel)) => tunnel.tos.as_mut(),
            Some(Encap::Ip6(tunnel)) => tunnel.tos.as_mut(),
            Some(Encap::Mpls(_) | Encap::Ila(_)) | None => None,
        };
        if let Some(tos) = tos {
            self.set(tos, "rt_dsfield", |number| byte(number).map(Tos))?;
        }
        hop.realms.as_mut().map_or(Some(()), |realms| self.realms(realms))
    }

    fn rule(&mut self, rule: &mut Rule) -> Option<()> {
        if let Some(tos) = &mut rule.selector.tos {
            self.set(tos, "rt_dsfield", |number| byte(number).map(Tos))?;
        }
        if let Some(protocol) = &mut rule.selector.ip_protocol {
            self.set(protocol, "/etc/protocols", byte)?;
        }
        let Action::Lookup(lookup) = &mut rule.action else { return Some(()) };
        if let LookupTable::Table(table) = &mut lookup.table {
            self.set(table, "rt_tables", |number| Some(Table(number)))?;
        }
        if let Some(group) = &mut lookup.suppress_group {
            self.set(group, "group", Some)?;
        }
        lookup.realms.as_mut().map_or(Some(()), |realms| self.realms(realms))
    }

    fn realms(&mut self, realms: &mut Realms) -> Option<()> {
        let both = realms.from.as_mut().into_iter().chain([&mut realms.to]);
        both.into_iter().try_for_each(|realm| self.set(realm, "rt_realms", |number| byte(number).map(Realm)))
    }
}

fn byte(number: u32) -> Option<u8> {
    u8::try_from(number).ok()
}

/// Every name in `file`, a path or a name in the folders of iproute2. What the host says itself comes last and wins.
fn names_in(file: &str, paths: &IproutePaths) -> BTreeMap<String, u32> {
    let mut files = Vec::new();
    for folder in [&paths.distribution, &paths.local] {
        let main = Path::new(folder).join(file);
        files.extend(more_of(&main));
        files.push(main);
    }
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| names(&text)).collect()
}

/// The files `*.conf` in the folder that is named after `main`.
fn more_of(main: &Path) -> Vec<PathBuf> {
    let mut folder = main.as_os_str().to_owned();
    folder.push(".d");
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "conf")).collect()
}

/// Lines have a number and a name, or with protocols a name, a number and more names.
fn names(text: &str) -> Vec<(String, u32)> {
    let lines = text.lines().filter_map(|line| line.split('#').next());
    let mut found = Vec::new();
    for line in lines {
        let (numbers, names): (Vec<_>, Vec<_>) =
            line.split_whitespace().partition(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let Some(number) = numbers.first().and_then(|word| number(word)) else { continue };
        found.extend(names.into_iter().map(|name| (name.to_owned(), number)));
    }
    found
}

fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use model::{IfName, Prefix};

    #[test]
    fn both_kinds_of_lines_are_read() {
        let found = names("# no\n100\tcorp # yes\n0x10 lab\ntcp 6 TCP\n\nnameless\n");
        let expected = [("corp", 100), ("lab", 16), ("tcp", 6), ("TCP", 6)];
        assert_eq!(found, expected.map(|(name, number)| (name.to_owned(), number)));
    }

    #[test]
    fn names_become_numbers_and_what_has_an_unknown_one_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("rt_tables.d")).unwrap();
        fs::write(folder.path().join("rt_tables.d/lab.conf"), "1007 lab\n").unwrap();
        fs::write(folder.path().join("rt_protos"), "0x2a corp\n").unwrap();
        let local = folder.path().to_str().unwrap().to_owned();
        let paths = IproutePaths { distribution: "/nonexistent".to_owned(), local };
        let device: IfName = "eth0".parse().unwrap();
        let route = |table: &str, protocol: &str| {
            let hop = Hop { device: Some(device.clone()), ..Hop::default() };
            let destination = Prefix::new([198, 51, 100, 0].into(), 24).unwrap();
            let mut route = Route::new(destination, Ways::Single(hop));
            route.table = RouteTable::Table(Named::Name(table.to_owned()));
            route.protocol = Named::Name(protocol.to_owned());
            route
        };
        let vrid = model::Vrid::try_from(51).unwrap();
        let mut instance = model::vrrp::Instance::new("V", device.clone(), vrid);
        instance.routes = vec![route("lab", "corp"), route("bal", "corp"), route("lab", "crop")];
        let mut config = Config { instances: vec![instance], ..Config::default() };
        look_up(&mut config, &paths);
        let [route] = config.instances[0].routes.as_slice() else { panic!("{config:?}") };
        assert_eq!(route.table, RouteTable::Table(Named::Number(Table(1007))));
        assert_eq!(route.protocol, Named::Number(Protocol(42)));
    }
}
