//! What people do to configuration files, one slip at a time.
#![expect(clippy::ptr_arg, reason = "all mutations have one type")]

use super::random::Random;

/// A slip. It may find nothing to do in a file.
type Mutation = fn(&mut Vec<String>, &mut Random);

/// All of them, with their names.
const ALL: &[(&str, Mutation)] = &[
    ("drop a line", drop_line),
    ("duplicate a line", duplicate_line),
    ("swap two words", swap_words),
    ("delete a brace", delete_brace),
    ("add a brace", add_brace),
    ("change a number", change_number),
    ("change a number", change_number),
    ("misspell a keyword", misspell_keyword),
    ("misspell a word", misspell_word),
    ("replace an address", replace_address),
    ("drop a word", drop_word),
    ("drop all but the first word", drop_arguments),
    ("add a word", add_word),
    ("quote a word", quote_word),
    ("add a quote", add_quote),
    ("remove the quotes", unquote),
    ("comment out a line", comment_out),
    ("move a line into another block", move_line),
    ("copy a line into another block", copy_line),
    ("change a boolean", change_boolean),
    ("join two lines", join_lines),
    ("split a line", split_line),
    ("include a missing file", include),
    ("insert a directive", insert_directive),
    ("insert a keyword of another block", insert_keyword),
    ("repeat a block", repeat_block),
    ("drop a block", drop_block),
    ("change an interface", change_interface),
    ("use a parameter", use_parameter),
];

/// `text` with one to three slips, and their names.
pub(crate) fn mutate(text: &str, random: &mut Random) -> (String, Vec<&'static str>) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let count = 1 + random.below(3);
    let mut names = Vec::new();
    for _ in 0..count {
        let Some((name, mutation)) = random.pick(ALL) else { continue };
        mutation(&mut lines, random);
        names.push(*name);
    }
    (lines.join("\n") + "\n", names)
}

/// A line that says something, by its number.
fn some_line(lines: &[String], random: &mut Random, fits: impl Fn(&str) -> bool) -> Option<usize> {
    let said = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with(['#', '!']);
    let numbers: Vec<usize> = (0..lines.len()).filter(|&n| said(&lines[n]) && fits(&lines[n])).collect();
    random.pick(&numbers).copied()
}

/// Changes the words of a line that has such words. Its indentation stays.
fn change_words(
    lines: &mut [String],
    random: &mut Random,
    fits: impl Fn(&str) -> bool,
    change: impl FnOnce(&mut Vec<String>, &mut Random),
) {
    let Some(number) = some_line(lines, random, fits) else { return };
    let line = &lines[number];
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    change(&mut words, random);
    lines[number] = indent + &words.join(" ");
}

/// Replaces one of the words that fit by what `other` makes of it.
fn change_word(
    lines: &mut [String],
    random: &mut Random,
    fits: impl Fn(&str) -> bool + Copy,
    other: impl FnOnce(&str, &mut Random) -> String,
) {
    let has = |line: &str| line.split_whitespace().any(fits);
    change_words(lines, random, has, |words, random| {
        let places: Vec<usize> = (0..words.len()).filter(|&n| fits(&words[n])).collect();
        if let Some(&place) = random.pick(&places) {
            words[place] = other(&words[place], random);
        }
    });
}

fn has_words(count: usize) -> impl Fn(&str) -> bool {
    move |line| line.split_whitespace().count() >= count
}

fn is_brace(word: &str) -> bool {
    word == "{" || word == "}"
}

fn drop_line(lines: &mut Vec<String>, random: &mut Random) {
    if let Some(number) = some_line(lines, random, |_| true) {
        lines.remove(number);
    }
}

fn duplicate_line(lines: &mut Vec<String>, random: &mut Random) {
    if let Some(number) = some_line(lines, random, |_| true) {
        lines.insert(number, lines[number].clone());
    }
}

fn swap_words(lines: &mut Vec<String>, random: &mut Random) {
    change_words(lines, random, has_words(2), |words, random| {
        let (a, b) = (random.below(words.len()), random.below(words.len()));
        words.swap(a, b);
    });
}

fn delete_brace(lines: &mut Vec<String>, random: &mut Random) {
    change_word(lines, random, is_brace, |_, _| String::new());
}

fn add_brace(lines: &mut Vec<String>, random: &mut Random) {
    change_words(
        lines,
        random,
        |_| true,
        |words, random| {
            let brace = ["{", "}"][random.below(2)];
            words.insert(random.below(words.len() + 1), brace.to_owned());
        },
    );
}

fn is_number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-') && word.parse::<f64>().is_ok()
}

fn change_number(lines: &mut Vec<String>, random: &mut Random) {
    const OTHERS: &[&str] = &[
        "0",
        "1",
        "-1",
        "2",
        "254",
        "255",
        "256",
        "65535",
        "65536",
        "4294967295",
        "4294967296",
        "99999999999999999999",
        "0x10",
        "010",
        "1.5",
        ".5",
        "5.",
        "1e3",
        "5x",
        "+5",
        "\"\"",
        "1.0000001",
        "five",
    ];
    change_word(lines, random, is_number, |_, random| random.pick(OTHERS).copied().unwrap_or("0").to_owned());
}

/// The word with a letter left out, doubled or replaced.
fn misspell(word: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = random.below(letters.len());
    match random.below(3) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        _ => letters[at] = if letters[at] == 'x' { 'y' } else { 'x' },
    }
    letters.into_iter().collect()
}

fn misspell_keyword(lines: &mut Vec<String>, random: &mut Random) {
    let fits = |line: &str| line.trim_start().starts_with(|c: char| c.is_ascii_alphabetic());
    change_words(lines, random, fits, |words, random| words[0] = misspell(&words[0], random));
}

fn misspell_word(lines: &mut Vec<String>, random: &mut Random) {
    change_word(lines, random, |word| word.chars().all(|c| c.is_ascii_alphabetic()), misspell);
}

fn is_address(word: &str) -> bool {
    let address = word.split(['/', '-']).next().unwrap_or_default();
    address.parse::<std::net::IpAddr>().is_ok()
}

fn replace_address(lines: &mut Vec<String>, random: &mut Random) {
    const OTHERS: &[&str] = &[
        "192.0.2.77",
        "192.0.2.77/24",
        "192.0.2.77/33",
        "192.0.2.256",
        "192.0.2",
        "192.0.2.1-5",
        "2001:db8::77",
        "2001:db8::77/64",
        "2001:db8::77/129",
        "2001:db8:::1",
        "fe80::1",
        "224.0.0.1",
        "0.0.0.0",
        "0.0.0.0/0",
        "::",
        "host.example.org",
        "127.0.0.1",
        "default",
        "192.0.2.1/24/2",
        "192.0.2.1/",
    ];
    change_word(lines, random, is_address, |_, random| {
        random.pick(OTHERS).copied().unwrap_or("::").to_owned()
    });
}

fn drop_word(lines: &mut Vec<String>, random: &mut Random) {
    change_words(lines, random, has_words(2), |words, random| {
        words.remove(random.below(words.len()));
    });
}

fn drop_arguments(lines: &mut Vec<String>, random: &mut Random) {
    let fits = |line: &str| has_words(2)(line) && !line.contains(['{', '}']);
    change_words(lines, random, fits, |words, _| words.truncate(1));
}

fn add_word(lines: &mut Vec<String>, random: &mut Random) {
    const WORDS: &[&str] =
        &["word", "5", "eth0", "192.0.2.9", "off", "weight", "dev", "no_track", "\"two words\""];
    change_words(
        lines,
        random,
        |_| true,
        |words, random| {
            let word = random.pick(WORDS).copied().unwrap_or("word");
            words.insert(random.below(words.len() + 1), word.to_owned());
        },
    );
}

fn quote_word(lines: &mut Vec<String>, random: &mut Random) {
    change_word(lines, random, |word| !is_brace(word), |word, _| format!("\"{word}\""));
}

fn add_quote(lines: &mut Vec<String>, random: &mut Random) {
    change_word(
        lines,
        random,
        |_| true,
        |word, random| {
            let quote = ["\"", "'"][random.below(2)];
            if random.below(2) == 0 { format!("{quote}{word}") } else { format!("{word}{quote}") }
        },
    );
}

fn unquote(lines: &mut Vec<String>, random: &mut Random) {
    if let Some(number) = some_line(lines, random, |line| line.contains('"')) {
        lines[number] = lines[number].replace('"', "");
    }
}

fn comment_out(lines: &mut Vec<String>, random: &mut Random) {
    if let Some(number) = some_line(lines, random, |_| true) {
        lines[number].insert(0, ['#', '!'][random.below(2)]);
    }
}

fn move_line(lines: &mut Vec<String>, random: &mut Random) {
    let Some(number) = some_line(lines, random, |line| !line.contains(['{', '}'])) else { return };
    let line = lines.remove(number);
    lines.insert(random.below(lines.len() + 1), line);
}

fn copy_line(lines: &mut Vec<String>, random: &mut Random) {
    let Some(number) = some_line(lines, random, |line| !line.contains(['{', '}'])) else { return };
    let line = lines[number].clone();
    lines.insert(random.below(lines.len() + 1), line);
}

fn change_boolean(lines: &mut Vec<String>, random: &mut Random) {
    const BOOLEANS: &[&str] = &["true", "on", "yes", "false", "off", "no"];
    const OTHERS: &[&str] = &["true", "off", "no", "1", "0", "TRUE", "Yes", "", "maybe", "on off"];
    let fits = |word: &str| BOOLEANS.contains(&word);
    change_word(lines, random, fits, |_, random| random.pick(OTHERS).copied().unwrap_or("no").to_owned());
}

fn join_lines(lines: &mut Vec<String>, random: &mut Random) {
    let Some(number) = some_line(lines, random, |line| !line.contains(['#', '!'])) else { return };
    if number + 1 < lines.len() {
        let next = lines.remove(number + 1);
        lines[number] = format!("{} {}", lines[number], next.trim_start());
    }
}

fn split_line(lines: &mut Vec<String>, random: &mut Random) {
    let Some(number) = some_line(lines, random, has_words(2)) else { return };
    let words: Vec<String> = lines[number].split_whitespace().map(str::to_owned).collect();
    let (before, after) = words.split_at(1 + random.below(words.len() - 1));
    lines[number] = before.join(" ");
    lines.insert(number + 1, after.join(" "));
}

fn include(lines: &mut Vec<String>, random: &mut Random) {
    const INCLUDES: &[&str] = &[
        "include missing.conf",
        "includem missing.conf",
        "includer missing*.conf",
        "includew missing*.conf",
        "include",
        "includea /no/such/{a,b}.conf",
        "includeb {missing,absent}.conf",
        "include /tmp",
    ];
    let line = random.pick(INCLUDES).copied().unwrap_or("include");
    lines.insert(random.below(lines.len() + 1), line.to_owned());
}

fn insert_directive(lines: &mut Vec<String>, random: &mut Random) {
    const DIRECTIVES: &[&str] = &[
        "$NAME=value",
        "$NAME",
        "${NAME}",
        "@host state BACKUP",
        "@other state BACKUP",
        "@^other",
        "@",
        "@host priority 5",
        "~SEQ(N, 1, 3) $NAME",
        "~SEQ(N, 3",
        "~SEQ(N)",
        "~SEQ(N, 1, 0, 3) x",
        "~LST(N, a, b)",
        "~LST(N, a b) priority 5",
        "~LST({A,B}, {1,2,3}) priority 5",
        "~SEQ(N, 1, 2) priority ${N}",
        "~SEQx(N, -1, 2) priority 1",
        "~FOO(N, 1)",
        "$NAME=\\",
        "priority \\",
        "$NAME=state BACKUP\\",
        "${_RANDOM 1 2}",
        "priority ${_RANDOM 5 1}",
    ];
    let line = random.pick(DIRECTIVES).copied().unwrap_or("@");
    lines.insert(random.below(lines.len() + 1), line.to_owned());
}

fn insert_keyword(lines: &mut Vec<String>, random: &mut Random) {
    const LINES: &[&str] = &[
        "interface eth0",
        "priority 100",
        "router_id here",
        "weight 5",
        "delay_loop 3",
        "state MASTER",
        "nopreempt",
        "virtual_router_id 9",
        "script /bin/true",
        "notify /bin/true",
        "notify_up /bin/true",
        "auth_pass 123456789",
        "enable_script_security",
        "script_user root",
        "script_user nobody nogroup",
        "dynamic_interfaces",
        "alpha",
        "track_group web",
        "quorum 3",
        "protocol TCP",
        "vrrp_version 2",
        "version 2",
        "vrrp_strict",
        "strict_mode",
        "advert_int 0.1",
        "retry 3",
        "misc_path /bin/true",
        "group {\nleft\n}",
        "static_routes {\n}",
        "user nobody",
        "vrrp_script late {\nscript /bin/true\n}",
        "net_namespace other",
        "instance one",
        "use_pid_dir",
        "child_wait_time 5",
        "lvs_sync_daemon eth0",
        "no_virtual_ipaddress",
        "virtual_ipaddress {\n192.0.2.3\n}",
        "promote_secondaries",
    ];
    let line = random.pick(LINES).copied().unwrap_or("alpha");
    lines.insert(random.below(lines.len() + 1), line.to_owned());
}

/// The lines from one that opens a block to the one that closes it.
fn some_block(lines: &[String], random: &mut Random) -> Option<std::ops::Range<usize>> {
    let start = some_line(lines, random, |line| line.trim_end().ends_with('{'))?;
    let mut depth = 0;
    for (number, line) in lines.iter().enumerate().skip(start) {
        depth += line.matches('{').count();
        depth = depth.checked_sub(line.matches('}').count())?;
        if depth == 0 {
            return Some(start..number + 1);
        }
    }
    None
}

fn repeat_block(lines: &mut Vec<String>, random: &mut Random) {
    let Some(block) = some_block(lines, random) else { return };
    let copy: Vec<String> = lines[block.clone()].to_vec();
    lines.splice(block.end..block.end, copy);
}

fn drop_block(lines: &mut Vec<String>, random: &mut Random) {
    if let Some(block) = some_block(lines, random) {
        lines.drain(block);
    }
}

fn change_interface(lines: &mut Vec<String>, random: &mut Random) {
    const OTHERS: &[&str] =
        &["eth0", "eth1", "lo", "eth77", "a-name-that-is-too-long", "eth/0", "192.0.2.1", "any"];
    let fits = |word: &str| word.starts_with("eth");
    change_word(lines, random, fits, |_, random| random.pick(OTHERS).copied().unwrap_or("lo").to_owned());
}

fn use_parameter(lines: &mut Vec<String>, random: &mut Random) {
    let mut value = None;
    change_word(
        lines,
        random,
        |word| !is_brace(word),
        |word, random| {
            value = Some(word.to_owned());
            ["$PART", "${PART}", "${PARTS}", "x${PART}"][random.below(4)].to_owned()
        },
    );
    if let Some(value) = value {
        lines.insert(0, format!("$PART={value}"));
    }
}
