use super::*;

fn parsed(line: &str) -> Result<Request, UsageError> {
    parse(line.split_whitespace().map(OsString::from))
}

fn options(line: &str) -> Options {
    match parsed(line) {
        Ok(Request::Run(options)) => *options,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn every_flag_is_understood_in_both_spellings() {
    let base = Options::default;
    let cases: &[(&str, &str, Options)] = &[
        ("-f a.conf", "--use-file=a.conf", Options { config: Some("a.conf".into()), ..base() }),
        ("-P", "--vrrp", Options { load_balancing: false, ..base() }),
        ("-C", "--check", Options { vrrp: false, ..base() }),
        ("-B", "--no_bfd", base()),
        ("-l", "--log-console", Options { log_console: true, ..base() }),
        ("-D", "--log-detail", Options { verbosity: Verbosity::Detailed, ..base() }),
        ("-DD", "--log-detail --log-detail", Options { verbosity: Verbosity::Debug, ..base() }),
        ("-S 3", "--log-facility=local3", Options { facility: Facility::local(3).unwrap(), ..base() }),
        ("-S user", "--log-facility user", Options { facility: Facility::USER, ..base() }),
        ("-G", "--no-syslog", Options { log_syslog: false, ..base() }),
        ("-u 022", "--umask=0x12", Options { umask: Some(0o22), ..base() }),
        ("-u 18", "--umask 022", Options { umask: Some(0o22), ..base() }),
        ("-X", "--release-vips", base()),
        ("-V", "--dont-release-vrrp", Options { keep_addresses: true, ..base() }),
        ("-R", "--dont-respawn", Options { respawn: false, ..base() }),
        ("-n", "--dont-fork", Options { foreground: true, ..base() }),
        ("-d", "--dump-conf", Options { dump_config: true, ..base() }),
        ("-p x", "--pid=x", Options { pid_file: Some("x".into()), ..base() }),
        ("-r x", "--vrrp_pid=x", Options { vrrp_pid_file: Some("x".into()), ..base() }),
        ("-c x", "--checkers_pid=x", Options { checkers_pid_file: Some("x".into()), ..base() }),
        ("-b x", "--bfd_pid=x", base()),
        ("-a", "--address-monitoring", Options { address_monitoring: true, ..base() }),
        ("-s blue", "--namespace=blue", Options { namespace: Some("blue".into()), ..base() }),
        ("-m", "--core-dump", Options { core_dump: true, ..base() }),
        ("-e", "--all-config", Options { all_include_checks: true, ..base() }),
        ("-i one", "--config-id=one", Options { config_id: Some("one".into()), ..base() }),
    ];
    for (short, long, expected) in cases {
        assert_eq!(options(short), *expected, "{short}");
        assert_eq!(options(long), *expected, "{long}");
    }
    assert!(options("--ignore-sigint").ignore_sigint);
    assert!(options("--all").all_workers);
    for (line, pattern) in [("-M", "core"), ("-M/x/%p", "/x/%p"), ("--core-dump-pattern=y", "y")] {
        let expected = Options { core_dump: true, core_pattern: Some(pattern.into()), ..base() };
        assert_eq!(options(line), expected, "{line}");
    }
}

#[test]
fn octavia_neutron_and_openshift_start_it_like_this() {
    let neutron = options("-P -f /q/keepalived.conf -p /q/r.pid.keepalived -r /q/r.pid.keepalived-vrrp -D");
    assert_eq!(neutron.vrrp_pid_file, Some("/q/r.pid.keepalived-vrrp".into()));
    assert!(!neutron.foreground);
    let openshift =
        options("-f /etc/keepalived/keepalived.conf --dont-fork --vrrp --log-detail --log-console");
    assert!(openshift.foreground && openshift.log_console && openshift.vrrp);
    let docker = options("-nlD");
    assert!(docker.foreground && docker.log_console && docker.verbosity == Verbosity::Detailed);
}

#[test]
fn flags_without_effect_and_stray_words_are_remembered() {
    let options = options("-x word -I --flush-log-file stray");
    assert_eq!(options.without_effect, ["-x", "--flush-log-file"]);
    assert_eq!(options.ignored_words, ["word", "stray"]);
}

#[test]
fn bad_values_of_harmless_options_are_complaints() {
    for line in ["-S 9", "-S nonsense", "-u 99999", "-u zero"] {
        let options = options(line);
        assert_eq!(options.complaints.len(), 1, "{line}");
        assert_eq!((options.facility, options.umask), (Facility::DAEMON, None));
    }
}

#[test]
fn what_must_not_be_passed_over_is_refused() {
    assert_eq!(parsed("-g"), Err(UsageError::NotBuilt("--log-file")));
    assert_eq!(parsed("-T"), Err(UsageError::NotBuilt("--genhash")));
    assert!(matches!(parsed("--nonsense"), Err(UsageError::Unknown(_))));
    assert!(matches!(parsed("-f"), Err(UsageError::MissingValue(_))));
}

#[test]
fn questions_are_answered_before_anything_runs() {
    assert_eq!(parsed("-n -h"), Ok(Request::Help));
    assert_eq!(parsed("-v --nonsense-after"), Ok(Request::Version));
    assert!(parsed("--nonsense-before -v").is_err());
    assert_eq!(parsed("--version"), Ok(Request::Version));
    assert_eq!(parsed("--signum=JSON"), Ok(Request::Signum(SignalFunction::Json)));
    assert_eq!(parsed("--signum STATS_CLEAR"), Ok(Request::Signum(SignalFunction::StatsClear)));
    assert!(matches!(parsed("--signum=json"), Err(UsageError::BadValue { .. })));
}

#[test]
fn a_configuration_test_may_name_its_log() {
    for (line, expected) in [("-t", None), ("-tx.log", Some("x.log")), ("--config-test=x.log", Some("x.log"))]
    {
        match parsed(line) {
            Ok(Request::Test { log, .. }) => assert_eq!(log, expected.map(PathBuf::from), "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn the_usage_text_names_every_option() {
    let text = usage(&Program::named("keepalived".as_ref()));
    for spelling in FLAGS {
        assert!(text.contains(&format!("--{}", spelling.long)), "{}", spelling.long);
    }
}

#[test]
fn the_usage_text_names_the_commands_where_there_are_any() {
    assert!(usage(&Program::named("steadfast".as_ref())).contains("\n  explain "));
    assert!(!usage(&Program::named("keepalived".as_ref())).contains("explain"));
}

#[test]
fn the_usage_text_says_what_has_no_effect_yet() {
    let text = usage(&Program::named("keepalived".as_ref()));
    for spelling in FLAGS.iter().filter(|spelling| !matches!(spelling.flag, Flag::Help | Flag::Version)) {
        let line = text.lines().find(|line| line.contains(&format!("--{}", spelling.long))).unwrap();
        let mut options = Options::default();
        let idle = flags::apply(&mut options, spelling.flag, Some("1".into())).is_ok()
            && !options.without_effect.is_empty();
        assert_eq!(line.contains("(no effect yet)"), idle, "{line}");
    }
}
