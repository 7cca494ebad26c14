use super::*;

#[test]
fn a_dump_is_made_from_one_snapshot_and_the_next_waits_for_its_own() {
    let mut requests = Requests::default();
    assert_eq!(requests.begin(), None);
    requests.ask(Kind::State);
    requests.ask(Kind::Json);
    assert_eq!(requests.begin(), Some(ToWorker::Snapshot { request: 1, clear: false }));
    requests.ask(Kind::StatisticsAndClear);
    assert_eq!(requests.begin(), None, "one at a time");
    let file = |value| Piece::File { name: "tf".into(), value };
    assert!(requests.take(0, Piece::End).is_none(), "of an earlier worker");
    assert!(requests.take(1, file(3)).is_none());
    let due = requests.take(1, Piece::End).expect("all is told");
    assert_eq!(due.kinds, [Kind::State, Kind::Json].into());
    assert_eq!(due.told.files, [("tf".to_owned(), 3)].into());
    assert_eq!(requests.begin(), Some(ToWorker::Snapshot { request: 2, clear: true }));
    assert!(requests.end().is_some_and(|due| due.kinds == [Kind::StatisticsAndClear].into()));
    assert!(requests.end().is_none());
}

#[test]
fn state_dumps_are_named_after_process_namespace_and_instance() {
    let told = Told::default();
    let mut config = model::Config::default();
    config.global.files.dumps.state = Dump::Path("/x/keepalived.data".into());
    let name = |config: &model::Config, namespace: Option<&str>, whose| {
        state_path(&Scene::new(config, &told, namespace), whose).to_string_lossy().into_owned()
    };
    assert_eq!(name(&config, None, Whose::Vrrp), "/x/keepalived.data");
    assert_eq!(name(&config, Some("p"), Whose::Supervisor), "/x/keepalived_parent.data");
    config.global.files.dumps.names_instance = true;
    assert_eq!(name(&config, None, Whose::Vrrp), "/x/keepalived.data");
    config.process.instance = Some("web".into());
    assert_eq!(name(&config, None, Whose::Supervisor), "/x/keepalived_parent.web.data");
    config.process.net_namespace = Namespace::Named("p".into());
    assert_eq!(name(&config, None, Whose::Vrrp), "/x/keepalived.p_web.data");
    assert_eq!(name(&config, Some("q"), Whose::Vrrp), "/x/keepalived.q_web.data");
}
