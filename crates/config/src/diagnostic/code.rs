//! The stable codes of diagnostics.

use std::fmt;

/// Lines with a finding, and the same lines put right. Lines of an instance stand without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// As found.
    pub wrong: &'static str,
    /// As it should be.
    pub right: &'static str,
}

macro_rules! example {
    () => {
        None
    };
    ($wrong:literal, $right:literal) => {
        Some(Example { wrong: $wrong, right: $right })
    };
}

/// One row for each code: variant, number, what kind of finding it is, what `steadfast explain` says beyond that, and, if
/// a few lines can show it, wrong lines and right ones.
macro_rules! codes {
    ($(
        $(#[$attribute:meta])* $name:ident = $id:literal, $title:literal, $explanation:literal
        $(, $wrong:literal => $right:literal)?;
    )*) => {
        /// Which kind of finding a diagnostic is. The number never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!($id, ": ", $title, ".")] $(#[$attribute])* $name,)*
        }

        impl Code {
            /// Every code, in order of number.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is printed, `SF0101`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// What kind of finding it is, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// Why it matters and what to do, in a few sentences.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$name => $explanation,)*
                }
            }

            /// Lines that show it, where a few can.
            #[must_use]
            pub const fn example(self) -> Option<Example> {
                match self {
                    $(Self::$name => example!($($wrong, $right)?),)*
                }
            }
        }
    };
}

codes! {
    UnreadableFile = "SF0101", "a file cannot be read",
        "The file is missing, may not be read by this user, or is not a regular file. keepalived would run on with an empty configuration and drop every address; Steadfast does not start, and at a reload keeps what runs. Check the path, and that every folder on it may be entered.";
    LineTooLong = "SF0102", "a line is longer than keepalived takes",
        "keepalived reads lines of at most 1022 bytes and makes several of a longer one, of which it parses only the last. Here the line is ignored as a whole. Break it up: most lists take one entry a line.";
    NulByte = "SF0103", "a line has a NUL byte",
        "The line is ignored, as keepalived ignores it. NUL bytes come from files that were saved as UTF-16 or cut short by a crash. Save the file as plain UTF-8 text.";
    NotUtf8 = "SF0104", "text outside a comment is not UTF-8",
        "A name or password with such bytes would mean something else on each host. Save the file as UTF-8. Comments may hold any bytes.";
    UnpairedQuote = "SF0105", "a double quote has no partner on its line",
        "A double quote begins a word that runs to the next double quote of the same line; without one, the rest of the line is lost. Close the quote. Single quotes mean something only inside the commands of scripts.",
        "auth_pass \"secret"
        => "auth_pass \"secret\"";
    Directive = "SF0106", "a directive that cannot be carried out",
        "A condition, definition, repetition or include is not written as it must be, and nothing on its line has an effect. The message says which and why.",
        "~SEQ(N, 5, 1, 3) unicast_src_ip 192.0.2.${N}"
        => "~SEQ(N, 3, 5) unicast_src_ip 192.0.2.${N}";
    Parameter = "SF0107", "a parameter that stands for nothing here",
        "No parameter of this name is defined before this line, or it cannot be used like this, so the text stays as it is. keepalived takes the braces of an undefined `${NAME}` for those of a block and then loses track of the blocks around it. A value of several lines can only be used at the end of a line.",
        "$PRIORITY=150\npriority ${PRIORTY}"
        => "$PRIORITY=150\npriority ${PRIORITY}";
    LeadsBack = "SF0108", "a value or file that contains itself",
        "The value of a parameter uses that parameter, or a file includes itself, perhaps by way of others. keepalived fills the line, opens files until it has no more, or never comes to an end. Take the circle out.",
        "$A=1$A\npriority $A"
        => "$A=100\npriority $A";
    TooMuch = "SF0109", "more text than a configuration can have",
        "Files, repetitions and parameters together make millions of lines or hundreds of megabytes. Reading ends at this place, in good time and before the memory does. Look for a repetition with a bound that is far too large, or for values that double each other.";
    IncludeFailed = "SF0110", "an include that must not fail has failed",
        "The variant of `include`, an `include_check` or the option `-e` demands that this file exists and can be read. No daemon starts without it. Directories, executable files and files that are not regular are never read.";
    IncludeSkipped = "SF0111", "an include that brings nothing",
        "The file does not exist or cannot be read, and no check demands it, so reading goes on without it. If the configuration needs it, write `includea`, or `include_check` in `global_defs`.",
        "include conf.d/*.conf"
        => "include conf.d/web.conf";
    CutByComment = "SF0112", "a comment that begins inside a word",
        "A `#` or `!` outside double quotes begins a comment, even in the middle of a word: of the password `ab#cd` only `ab` is left, here as in keepalived. If the sign belongs to the value, put the value in double quotes. If a comment was meant, put a blank before it.",
        "auth_pass ab#cd"
        => "auth_pass \"ab#cd\"";
    MissingOpenBrace = "SF0201", "a block keyword without its brace",
        "The keyword opens a block, and the next line is not its brace. The block is taken to begin there, as keepalived does it, so that a closing brace still fits. Put the brace on the line of the keyword.",
        "vrrp_instance web\n    interface eth0\n}"
        => "vrrp_instance web {\n    interface eth0\n}";
    StrayOpenBrace = "SF0202", "an opening brace where none belongs",
        "The brace follows no keyword that opens a block. keepalived reads on as if it were not there, and then takes the closing brace for the end of the block around it. Take both braces out, or check the spelling of the keyword.",
        "vrrp_instance web {\n    priority 100 {\n    }\n}"
        => "vrrp_instance web {\n    priority 100\n}";
    StrayCloseBrace = "SF0203", "a closing brace without a block",
        "No block is open that the brace could close. Often an earlier block was closed too soon, and what follows it is read outside of it. Look for one brace too many further up.",
        "global_defs {\n}\n}"
        => "global_defs {\n}";
    UnclosedBlock = "SF0204", "the end of the file inside a block",
        "The file ends inside a block. Either a closing brace is missing, or the file was cut short while it was written or copied. keepalived uses what it has read; Steadfast takes no half a file.",
        "global_defs {\n    router_id lvs1"
        => "global_defs {\n    router_id lvs1\n}";
    TooDeep = "SF0205", "blocks inside blocks, too deep to mean anything",
        "The language has four levels of blocks; nothing can be meant by a sixteenth. The content is ignored up to the matching brace. Look for closing braces that are missing further up.";
    MissingCloseBrace = "SF0206", "a closing brace that is missing",
        "The line begins with the keyword of a block further out, so the block that it stands in was meant to end before it. keepalived reads on in the inner block, knows none of these lines there, and ends the outer block too early. Put the brace where the message points; nothing is said of the lines behind it that follows from this.",
        "global_defs {\n    router_id lvs1\nvrrp_instance web {\n}"
        => "global_defs {\n    router_id lvs1\n}\nvrrp_instance web {\n}";
    UnknownKeyword = "SF0301", "a word that is no keyword of its block",
        "Keywords are matched as a whole, with their case, and each belongs to certain blocks. The line, or the whole block, has no effect. Mind the suggestion: the word may be misspelt, or right in another block.",
        "vrrp_instance web {\n    virtual_ipaddres {\n    }\n}"
        => "vrrp_instance web {\n    virtual_ipaddress {\n    }\n}";
    NotBuilt = "SF0302", "a keyword that Steadfast does not have yet",
        "The line is right and was checked, but this release does not act on it yet. It is an error for the daemon where running on would mislead: the network would see, or scripts would be told, something else than the file says. A configuration test passes.";
    ExtraWords = "SF0303", "words after all that the keyword takes",
        "Only a newline or a brace ends a line. A second keyword, or a value for a keyword that takes none, is silently ignored: `nopreempt false` switches it on. Give each keyword a line of its own.",
        "interface eth0 priority 150"
        => "interface eth0\npriority 150";
    MissingArgument = "SF0304", "a keyword without its argument",
        "The keyword means nothing without the word that should follow it. keepalived exits at once on such a line, so no daemon runs with it. Add the value, or take the line out.",
        "priority"
        => "priority 100";
    Repeated = "SF0305", "a keyword whose first value stays in force is repeated",
        "Of most keywords the last one counts; of this one it is the first, as in keepalived. Take out the lines that are not meant.",
        "notify_master /usr/local/bin/first.sh\nnotify_master /usr/local/bin/second.sh"
        => "notify_master /usr/local/bin/first.sh";
    ForeignSign = "SF0307", "a sign that other languages have",
        "Only blanks stand between a keyword and its value, and only a newline or a brace ends a line. An `=` or `;` becomes part of the value, as in keepalived, which then does not know it. Take the sign out.",
        "priority 100;"
        => "priority 100";
    InvalidNumber = "SF0401", "not a number",
        "Numbers are written in decimal, without unit or exponent: `10` and not `0x10`, `10s` or `1e1`. The line has no effect and the default holds.",
        "priority 100x"
        => "priority 100";
    OutOfRange = "SF0402", "a number outside its range",
        "The number is right but cannot stand here; the message says what can and what holds now. keepalived reports it and goes on with the default, so two hosts may quietly run with other values than their files say.",
        "priority 300"
        => "priority 250";
    Adjusted = "SF0403", "a value that is rounded or adjusted",
        "What was written cannot be kept exactly: an interval that the packet of this VRRP version cannot carry, more decimals than are kept, a count that must be more than 0. The nearest value that can be is used. Write that one, so that all hosts agree on it.",
        "version 2\nadvert_int 0.5"
        => "version 3\nadvert_int 0.5";
    InvalidChoice = "SF0404", "not one of the words that may stand here",
        "Here one word of a short list must stand, in exactly this spelling: booleans are `true`, `on`, `yes`, `false`, `off` or `no`. The message says what holds now.",
        "state master"
        => "state MASTER";
    InvalidAddress = "SF0405", "not an address, or not one that fits here",
        "The word cannot be read as an IP address, or it is of the wrong family or kind for this place. The line or entry has no effect: an instance that loses its address this way serves nobody.",
        "mcast_src_ip 192.0.2.300"
        => "mcast_src_ip 192.0.2.30";
    InvalidInterface = "SF0406", "not an interface name",
        "An interface name has 1 to 15 bytes, without blank, slash or colon; VRRP cannot run on the loopback interface. Old alias names such as `eth0:1` are labels of addresses: write `dev eth0 label eth0:1`.",
        "interface eth0:1"
        => "interface eth0";
    InvalidScript = "SF0407", "a script that cannot be made out",
        "The command cannot be taken apart into a program and its arguments, mostly for a quote that is not closed. It is never run. Write the whole command as one string in double quotes, with single quotes around arguments that have blanks.",
        "notify_master \"/usr/local/bin/told.sh 'one argument\""
        => "notify_master \"/usr/local/bin/told.sh 'one argument'\"";
    MissingInterface = "SF0408", "an interface that this host does not have",
        "An instance on an interface that does not exist stays in fault until it appears. Check the name with `ip link`. If the interface is made later, add `dynamic_interfaces` to `global_defs`; then no test asks for it.";
    NoScriptSecurity = "SF0501", "scripts are configured, script security is not",
        "Without `enable_script_security`, a script that runs as root runs even if other users can write to it or to a folder on its path: whoever can do that is root. keepalived warns of it too, and a configuration test then leaves with 6.",
        "vrrp_script probe {\n    script /bin/true\n}\nvrrp_instance web {\n    track_script {\n        probe\n    }\n}"
        => "global_defs {\n    enable_script_security\n    script_user nobody\n}\nvrrp_script probe {\n    script /bin/true\n}\nvrrp_instance web {\n    track_script {\n        probe\n    }\n}";
    ScriptNotRun = "SF0502", "a script that this host does not run",
        "The program is not there, cannot be executed, has no such user, or script security keeps it from running because others could change it: the message says what and where. A check that cannot be run counts as failed, a notification is lost. Only the host that a test runs on is asked; elsewhere the answer may be another.";
    NoSuchUser = "SF0503", "a user or group that this host does not have",
        "Scripts run with the rights of the user that is named here. There is no such user or group, so they are not run at all. Create it, or name another.";
    RootByDefault = "SF0504", "scripts that run as root because nobody is named",
        "Without `script_user`, and without a user called `keepalived_script`, scripts run as root. With script security on, keepalived takes them out of the configuration instead. Name a user who may do what the scripts do and nothing else.";
    InsecureScript = "SF0505", "a script of root that others can change",
        "The script runs as root, and somebody else can write to it or to a folder on its path: whoever that is can do anything here. Give file and folders to root, take the right to write away from others, or let the script run as another user.";
    ScriptWithoutCommand = "SF0601", "a `vrrp_script` without `script`",
        "A check without a command can never succeed, and the instances that track it would stay in fault or at the lower priority. Add a `script` line, or see why the one there was refused.",
        "vrrp_script probe {\n    interval 2\n}"
        => "vrrp_script probe {\n    script /bin/true\n    interval 2\n}";
    UnusedScript = "SF0602", "a script that nobody tracks",
        "A check runs only while an instance or group tracks it. Often it was meant to be named in `track_script`, and failures of the service go unseen.",
        "vrrp_script probe {\n    script /bin/true\n}"
        => "vrrp_script probe {\n    script /bin/true\n}\nvrrp_instance web {\n    track_script {\n        probe\n    }\n}";
    UndefinedScript = "SF0603", "a name that no `vrrp_script` has",
        "Nothing of this name is defined, so nothing is tracked. keepalived looks only at what stands further up in the file, drops the line, and the failure that was to be noticed is not.",
        "track_script {\n    prob\n}"
        => "track_script {\n    probe\n}";
    DuplicateName = "SF0604", "a name that is taken",
        "Names must be unique, for scripts, dumps and references speak of them. The second block is ignored as a whole, with all that is in it.",
        "vrrp_script probe {\n    script /bin/true\n}\nvrrp_script probe {\n    script /bin/false\n}"
        => "vrrp_script probe {\n    script /bin/true\n}\nvrrp_script probe2 {\n    script /bin/false\n}";
    UndefinedTracker = "SF0605", "a name that no file, process or session has",
        "Nothing of this name is defined further up, so nothing is tracked, and the failure that was to be noticed is not. keepalived looks only at what stands before the list. A session with `checker` alone exists for real servers only.",
        "vrrp_instance web {\n    track_file {\n        drian\n    }\n}"
        => "track_file drain {\n    file /run/drain\n}\nvrrp_instance web {\n    track_file {\n        drain\n    }\n}";
    UnusedTracker = "SF0606", "a file, process or session that nobody tracks",
        "It is defined and nothing depends on it. Often it was meant to be named in `track_file`, `track_process` or `track_bfd`.",
        "vrrp_track_process web {\n    process nginx\n}"
        => "vrrp_track_process web {\n    process nginx\n}\nvrrp_instance web {\n    track_process {\n        web\n    }\n}";
    IncompleteTracker = "SF0607", "a tracked thing without the line that says what it is",
        "A `track_file` needs a `file`, a `vrrp_track_process` a `process`, a `bfd_instance` a `neighbor_ip`. Without it the block is ignored, as in keepalived, and with it every line that tracks it.",
        "track_file drain {\n    weight 1\n}"
        => "track_file drain {\n    file /run/drain\n    weight 1\n}";
    Quorum = "SF0608", "a quorum that no number of processes can meet",
        "`quorum` says how many processes there must be, `quorum_max` how many there may be. The line that contradicts an earlier one has no effect.",
        "vrrp_track_process web {\n    process nginx\n    quorum_max 2\n    quorum 3\n}"
        => "vrrp_track_process web {\n    process nginx\n    quorum 2\n    quorum_max 3\n}";
    InvalidSession = "SF0609", "a BFD session that cannot be",
        "The name is longer than 31 bytes, the addresses are of different families, or another session has the same ones: packets could not be told apart. The session is ignored, and with it every line that tracks it.",
        "bfd_instance peer {\n    neighbor_ip 192.0.2.2\n    source_ip 2001:db8::1\n}"
        => "bfd_instance peer {\n    neighbor_ip 192.0.2.2\n    source_ip 192.0.2.1\n}";
    FollowerGroup = "SF0610", "a track group in which an instance is missing",
        "The instances of a track group go into fault when the static address, route or rule is lost that names the group. A name that no instance has is silently ignored by keepalived; so is an empty group.",
        "track_group routes {\n    group {\n    }\n}"
        => "track_group routes {\n    group {\n        web\n    }\n}\nvrrp_instance web {\n}";
    IncompleteInstance = "SF0701", "an instance without a keyword that it needs",
        "A virtual router needs an interface to run on and a number from 1 to 255. One of them is missing, or the line that has it could not be read. keepalived drops such an instance and runs on without its addresses.",
        "vrrp_instance web {\n    interface eth0\n    virtual_ipaddress {\n        192.0.2.10/24\n    }\n}"
        => "vrrp_instance web {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10/24\n    }\n}";
    DuplicateVrid = "SF0702", "a virtual router twice on one link",
        "Two virtual routers of one link, address family and number use the same group and the same virtual MAC address: each would take the advertisements of the other for its own. Give each its own number, and use the same one on every host.",
        "vrrp_instance a {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10/24\n    }\n}\nvrrp_instance b {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.11/24\n    }\n}"
        => "vrrp_instance a {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10/24\n    }\n}\nvrrp_instance b {\n    interface eth0\n    virtual_router_id 52\n    virtual_ipaddress {\n        192.0.2.11/24\n    }\n}";
    NoAddresses = "SF0703", "an instance without addresses",
        "An advertisement without an address is not valid in VRRP version 3, and useless in version 2. Often the block is misspelt or its addresses were refused. If none are meant, say so with `no_virtual_ipaddress`.",
        "vrrp_instance web {\n    interface eth0\n    virtual_router_id 51\n}"
        => "vrrp_instance web {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10/24\n    }\n}";
    PasswordCut = "SF0704", "a password longer than the packet carries",
        "The field of the packet has eight bytes. The rest of the password is cut off without notice, so that two long passwords with the same beginning are one. Write eight characters, the same on every host; they are sent in clear text.",
        "auth_type PASS\nauth_pass correct-horse"
        => "auth_type PASS\nauth_pass c0rrectH";
    Authentication = "SF0705", "authentication that is not used",
        "The settings are incomplete or belong to a version of VRRP that has none: advertisements go out without authentication. Hosts that disagree about it ignore each other, and all become master.",
        "version 3\nauthentication {\n    auth_type PASS\n    auth_pass 1111\n}"
        => "version 2\nauthentication {\n    auth_type PASS\n    auth_pass 1111\n}";
    Preemption = "SF0706", "preemption settings that do not go together",
        "Whether a router takes over from a running master depends on its initial state and priority, and these settings contradict each other. keepalived drops one of them silently. To leave a running master in charge, write `state BACKUP` and `nopreempt` on every host.",
        "state MASTER\nnopreempt"
        => "state BACKUP\nnopreempt";
    IdleWeight = "SF0707", "a weight that cannot act",
        "The owner of the addresses has priority 255 whatever happens, so no weight can lower it. Either the instance is to give way, then lower its priority, or its failure is a fault, then use weight 0.",
        "priority 255\ntrack_interface {\n    eth1 weight 10\n}"
        => "priority 200\ntrack_interface {\n    eth1 weight 10\n}";
    Strict = "SF0708", "strict mode forbids it",
        "`vrrp_strict` or `strict_mode` holds an instance to the letter of the RFC, and this is not in it. The line has no effect, so that the instance behaves otherwise than the file says. Take out the line or the strict mode.",
        "strict_mode\nhigher_prio_send_advert"
        => "higher_prio_send_advert";
    DuplicateEntry = "SF0709", "an entry that is there already",
        "The same thing is listed twice; the second mention has no effect. An address that two instances share stays as long as one of them is master, and then both hosts may have it.",
        "virtual_ipaddress {\n    192.0.2.1\n    192.0.2.1\n}"
        => "virtual_ipaddress {\n    192.0.2.1\n}";
    Transport = "SF0710", "unicast and multicast settings that do not go together",
        "Advertisements go either to a multicast group or to the listed peers. The settings here speak of both, or of unicast without a peer; the message says which is used. All hosts of a virtual router must do the same.",
        "unicast_peer {\n    192.0.2.2\n}\nmcast_dst_ip 224.0.0.100"
        => "unicast_peer {\n    192.0.2.2\n}";
    TooManyAddresses = "SF0711", "more addresses than an advertisement carries",
        "An advertisement counts its addresses in one byte and must fit into one packet. The addresses beyond that are managed but not advertised. Put the others into `virtual_ipaddress_excluded`, on every host the same.";
    Family = "SF0712", "addresses of two families in one instance",
        "An instance speaks IPv4 or IPv6. The first address in its block settles which, be it a virtual address, a peer, a source or a destination; `virtual_ipaddress_excluded` alone may have both. What is of the other family is ignored. Give each family an instance of its own; they may have the same VRID.",
        "unicast_peer {\n    192.0.2.2\n    2001:db8::2\n}"
        => "unicast_peer {\n    192.0.2.2\n    192.0.2.3\n}";
    Device = "SF0713", "settings of VMACs and ipvlans that do not go together",
        "An instance can make an interface of its own: a VMAC with the MAC of the virtual router, or an ipvlan with an address of its own. Its name belongs to one instance, and some settings have a meaning only with one kind of interface. The message says which word is ignored or what is used instead.",
        "vmac_xmit_base" => "use_vmac\nvmac_xmit_base";
    Hmac = "SF0714", "signatures that cannot be made or checked",
        "With `auth_hmac` every advertisement is signed with the key that `active_key` names, and those of others are checked. A key has 32 to 64 bytes. Without a usable key the instance could only speak unsigned, so no daemon runs with such a block.",
        "auth_hmac {\n    key 1 short\n    active_key 1\n}"
        => "auth_hmac {\n    key 1 file:/etc/keepalived/vrrp.key\n    active_key 1\n}";
    SyncGroup = "SF0715", "a sync group that cannot do what it says",
        "A sync group keeps its members in one state: if one is at fault, all are. Members are instances of the same file, each in one group at most, and there should be two or more. Members should agree on who is best: unless the group has `sync_group_tracking_weight`, a member's own scripts, files and BFD sessions that have a weight do not change its priority, and the weights of its interfaces and processes are warned of.";
    UnknownMember = "SF0716", "a member of a sync group that no `vrrp_instance` is",
        "The line is ignored, so what it was to keep together may be master on different hosts.",
        "vrrp_sync_group both {\n    group {\n        web\n        mial\n    }\n}\nvrrp_instance web {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10\n    }\n}\nvrrp_instance mail {\n    interface eth0\n    virtual_router_id 52\n    virtual_ipaddress {\n        192.0.2.11\n    }\n}"
        => "vrrp_sync_group both {\n    group {\n        web\n        mail\n    }\n}\nvrrp_instance web {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10\n    }\n}\nvrrp_instance mail {\n    interface eth0\n    virtual_router_id 52\n    virtual_ipaddress {\n        192.0.2.11\n    }\n}";
    IdleEntryOption = "SF0801", "an option without effect where it stands",
        "The option is read, and nothing comes of it: it is for the other address family, or the rest of the line leaves nothing for it to act on. keepalived is silent about most of these. Take it out, or correct what makes it idle.",
        "virtual_ipaddress {\n    192.0.2.10/24 preferred_lft 0\n}"
        => "virtual_ipaddress {\n    192.0.2.10/24\n}";
    OptionConflict = "SF0802", "options of one entry that do not go together",
        "Two options of an address, route or rule exclude each other. The message says which of them is used, or that the whole entry is ignored; keepalived decides in the same way.",
        "virtual_ipaddress {\n    192.0.2.10/24 peer 192.0.2.11\n}"
        => "virtual_ipaddress {\n    192.0.2.10 peer 192.0.2.11\n}";
    NoDestination = "SF0803", "a route without a destination",
        "A route says where it leads, by a network or by `default`, anywhere on its line. Without that the whole route is ignored. Any word that is no option is taken as the destination.",
        "virtual_routes {\n    via 192.0.2.254 dev eth0\n}"
        => "virtual_routes {\n    default via 192.0.2.254 dev eth0\n}";
    MixedFamilies = "SF0804", "IPv4 and IPv6 in one entry",
        "A route or rule is of one address family, which its first address or `inet` and `inet6` decide. Something later on the line is of the other family, so the whole entry is ignored. Write one entry for each family.",
        "virtual_routes {\n    2001:db8::/32 via 192.0.2.254 dev eth0\n}"
        => "virtual_routes {\n    2001:db8::/32 via fe80::1 dev eth0\n}";
    NotTracked = "SF0805", "a route or rule that cannot be tracked",
        "A tracked route or rule that disappears makes a fault of its instance. That is possible only if it is known by an interface and by protocol 18, which is keepalived's. Name the interface, or say with `no_track` that its loss does not matter.",
        "virtual_routes {\n    198.51.100.0/24 via 192.0.2.254\n}"
        => "virtual_routes {\n    198.51.100.0/24 via 192.0.2.254 dev eth0\n}";
    InvalidEncap = "SF0806", "a tunnel that cannot be made out",
        "`encap` is followed by `ip`, `ip6`, `mpls` or `ila`, and by what that kind of tunnel needs. The route is ignored, since without its tunnel it would send packets in the clear; keepalived hands it to the kernel without the tunnel, or with an empty one.",
        "virtual_routes {\n    198.51.100.0/24 dev eth0 encap mpls 100,200\n}"
        => "virtual_routes {\n    198.51.100.0/24 dev eth0 encap mpls 100/200\n}";
    InvalidHop = "SF0807", "a hop of a multipath route that cannot be used",
        "One way of a route with several cannot be used and is left out; the others share its traffic. If none is left, the whole route is ignored.",
        "virtual_routes {\n    198.51.100.0/24 no_track nexthop via fe80::1 dev eth0 nexthop via 192.0.2.253\n}"
        => "virtual_routes {\n    198.51.100.0/24 no_track nexthop via 192.0.2.254 nexthop via 192.0.2.253\n}";
    RuleAction = "SF0808", "a rule that does not say one thing that is to happen",
        "A rule does exactly one thing with the packets that it is for: look at a table, go on at another rule, or drop them. With no action, with two of them, or with a `goto` that does not lead to a greater priority, the whole rule is ignored.",
        "virtual_rules {\n    from 192.0.2.0/24 priority 100\n}"
        => "virtual_rules {\n    from 192.0.2.0/24 table 10 priority 100\n}";
    Unranked = "SF0809", "a rule without a priority",
        "The order of rules decides which of them acts. A rule without a priority gets 16384, the next one 16383 and so on, as with keepalived, so that a new line moves those after it. Give each rule a priority.",
        "virtual_rules {\n    from 192.0.2.0/24 table 10\n}"
        => "virtual_rules {\n    from 192.0.2.0/24 table 10 priority 100\n}";
    UnknownTrackGroup = "SF0810", "a name that no `track_group` has yet",
        "A static address, route or rule names a group of instances that is not defined, or only further down. keepalived reads a file once and does not find it. Define the group first; until then the loss of the entry acts on nobody.";
    FamilyWord = "SF0811", "a family word that keepalived reads wrongly",
        "keepalived skips the word after a leading `inet` or `inet6`, so that it loses the destination or the first condition. Steadfast reads that word. In files that both read, leave the family word out: addresses say their family themselves.",
        "virtual_routes {\n    inet6 2001:db8::/32 dev eth0\n}"
        => "virtual_routes {\n    2001:db8::/32 dev eth0\n}";
    MissingName = "SF0812", "a name that this host's tables do not have",
        "Routing tables, protocols, scopes, realms and groups have numbers, and files of the host give them names. The test of a configuration looks them up; keepalived ignores an entry whose name it does not find. Add the name to the file that the message names, or write the number.";
    EmptyPool = "SF0901", "a virtual server without real servers",
        "Traffic to it would have nowhere to go, so keepalived ignores the whole block, its sorry server too. A real server that could not be read, or is of another address family, does not count.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}";
    IncompleteService = "SF0902", "a virtual server without a line that it should have",
        "Scheduler, forwarding method and protocol should be said; without them `wlc`, `NAT` and `UDP` are used, and UDP is hardly ever meant. A service of all ports, without a port behind its address, must be persistent and is made so.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    real_server 10.0.0.1 80 {\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}";
    FamilyMismatch = "SF0903", "addresses of different families",
        "A virtual server and its real servers are all IPv4 or all IPv6; only a tunnel, `lvs_method TUN`, crosses families. The same holds for the two ends of a check. What does not fit is ignored.",
        "virtual_server 2001:db8::1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}"
        => "virtual_server 2001:db8::1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 2001:db8::2 80 {\n    }\n}";
    PortMismatch = "SF0904", "a port that packets will not have",
        "Only NAT rewrites packets. With direct routing and tunnels, and for marked traffic, a packet reaches the real server with the port that the client wrote, so another port here cannot act.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method DR\n    protocol TCP\n    real_server 10.0.0.1 8080 {\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method DR\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}";
    SchedulerFlag = "SF0905", "a flag of another scheduler",
        "`sh-port`, `sh-fallback` and `hashed` belong to the scheduler `sh`, `mh-port` and `mh-fallback` to `mh`, and they must stand below the line that chooses it. Elsewhere they are ignored.",
        "virtual_server 192.0.2.1 80 {\n    sh-port\n    lvs_sched sh\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched sh\n    sh-port\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}";
    TunnelOption = "SF0906", "an option that the tunnel does not have",
        "A tunnel is `ipip`, `gre` or `gue`. Only `gue` has a port, and must have one; `ipip` has no checksum and `gre` no remote one. A plain `ipip` tunnel is used in place of what does not go together.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method TUN type gue\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method TUN type gue port 6080\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}";
    ServiceQuorum = "SF0907", "a quorum that its servers cannot have",
        "`quorum` is the weight of live servers that a service needs, and `hysteresis` the band around it in which nothing changes. A quorum beyond the sum of all weights is lowered to it, and the band to less than the quorum. keepalived makes a band of 4294967295 of a quorum of 0; here it is 0.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    quorum 2\n    real_server 10.0.0.1 80 {\n        weight 1\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    quorum 2\n    real_server 10.0.0.1 80 {\n        weight 2\n    }\n}";
    SorryServer = "SF0908", "an option of a sorry server above it",
        "`sorry_server_inhibit` and `sorry_server_lvs_method` act on the `sorry_server` above them. Where none is, they are ignored.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    sorry_server_inhibit\n    sorry_server 10.0.0.9 80\n    real_server 10.0.0.1 80 {\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    sorry_server 10.0.0.9 80\n    sorry_server_inhibit\n    real_server 10.0.0.1 80 {\n    }\n}";
    UndefinedGroup = "SF0909", "a name that no `virtual_server_group` has",
        "The group may stand below the virtual server, but it must be there: without it nothing is served. keepalived's own test of the configuration passes all the same.",
        "virtual_server group web {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}"
        => "virtual_server group web {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n}\nvirtual_server_group web {\n    192.0.2.1 80\n}";
    UnusableGroup = "SF0910", "a group without members that could be served",
        "A group lists addresses, ranges and marks, one on each line. One without any is ignored; so is one with IPv4, IPv6 and a mark that could be either. The virtual servers that name it are ignored with it.",
        "virtual_server_group web {\n}"
        => "virtual_server_group web {\n    192.0.2.1 80\n}";
    IncompleteChecker = "SF0911", "a checker without what it needs",
        "A web check needs a `url` with a `path`, a `MISC_CHECK` a `misc_path`, a `BFD_CHECK` a `name`, a `FILE_CHECK` a `track_file`, and a check of a link local address a `bind_if`. The checker is ignored, so the server counts as up whatever happens.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n        HTTP_GET {\n        }\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n        HTTP_GET {\n            url {\n                path /\n            }\n        }\n    }\n}";
    UndefinedWatch = "SF0912", "a checker of a session or file that is not defined above",
        "`BFD_CHECK` and `FILE_CHECK` listen to a `bfd_instance` or `track_file`, which must stand above the virtual server. The checker is ignored, so the server counts as up whatever happens.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n        FILE_CHECK {\n            track_file drain\n        }\n    }\n}"
        => "track_file drain {\n    file /run/drain\n}\nvirtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n        FILE_CHECK {\n            track_file drain\n        }\n    }\n}";
    IdleOption = "SF0913", "a line of load balancing that cannot act",
        "The line is right in itself, but nothing of what stands beside it can use it: a packet scheduler without UDP, a server name without TLS, an option of a pattern without the pattern. Take it out, or add what it belongs to.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    ops\n    real_server 10.0.0.1 80 {\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol UDP\n    ops\n    real_server 10.0.0.1 80 {\n    }\n}";
    DuplicateServer = "SF0914", "a server that is there already",
        "A pool has each real server once; the second one is ignored. The kernel has each service once: of two virtual servers with the same address, port and protocol only the first can be set up.",
        "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n    real_server 10.0.0.1 80 {\n    }\n}"
        => "virtual_server 192.0.2.1 80 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol TCP\n    real_server 10.0.0.1 80 {\n    }\n    real_server 10.0.0.2 80 {\n    }\n}";
    InvalidPattern = "SF0915", "something expected of a reply that no reply can be",
        "A digest has 32 hexadecimal digits, the bytes of a datagram are hexadecimal, a name has no empty part, and a reply cannot be both longer and shorter. The line has no effect, or the check always fails.",
        "virtual_server 192.0.2.1 53 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol UDP\n    real_server 10.0.0.1 53 {\n        UDP_CHECK {\n            payload 0g\n        }\n    }\n}"
        => "virtual_server 192.0.2.1 53 {\n    lvs_sched rr\n    lvs_method NAT\n    protocol UDP\n    real_server 10.0.0.1 53 {\n        UDP_CHECK {\n            payload 0f\n        }\n    }\n}";
    Deprecated = "SF1001", "an old name or an old way to write something",
        "The keyword, or the order of words, is kept for old files only and means the same as its new form. Some of these keepalived reports, so that its test of the configuration fails. Write the new form, unless the file must serve a very old keepalived too.",
        "global_defs {\n    vrrp_vmac_garp_intvl 60\n}"
        => "global_defs {\n    vrrp_garp_extra_if 60\n}";
    NoEffect = "SF1002", "a global setting that cannot act",
        "The line is right, but another setting that it needs is missing, or one that stands elsewhere wins. Nothing happens because of it. The message names the other setting: add that one, move the line, or take it out.",
        "global_defs {\n    reload_repeat\n}"
        => "global_defs {\n    reload_time_file /etc/keepalived/reload-at\n    reload_repeat\n}";
    Iptables = "SF1003", "iptables or ipsets, where nftables is used",
        "Steadfast filters packets with nftables, like keepalived as most distributions build it. Settings of iptables and ipsets are read and kept, and change nothing about that. Write `nftables` to choose a table, or leave the filter to its default.",
        "global_defs {\n    vrrp_iptables INPUT\n}"
        => "global_defs {\n    nftables keepalived\n}";
    EmptyList = "SF1004", "a list without entries",
        "The block of this keyword lists things, and nothing is in it. Often the entries stand behind the keyword instead of between the braces, or were commented out. Add one, or take the block out.",
        "global_defs {\n    notification_email {\n    }\n}"
        => "global_defs {\n    notification_email {\n        admin@example.org\n    }\n}";
    IdleGarpGroup = "SF1005", "a `garp_group` that paces nothing",
        "A group sets the gap between gratuitous messages on its interfaces. Without an interval it is ignored; without an interface it slows nothing down. Add what is missing.",
        "garp_group {\n    interface eth0\n}"
        => "garp_group {\n    garp_interval 0.002\n    interface eth0\n}";
    TwoGarpGroups = "SF1006", "an interface in two groups of gratuitous messages",
        "An interface has one pace for gratuitous messages, so it can be in one `garp_group`, once. The first mention counts, as with keepalived. Take the others out.",
        "garp_group {\n    garp_interval 0.002\n    interfaces {\n        eth0 eth0\n    }\n}"
        => "garp_group {\n    garp_interval 0.002\n    interfaces {\n        eth0 eth1\n    }\n}";
    RelativePath = "SF1007", "a path or a part of one that will not lead where it should",
        "A daemon has no working directory that you would expect, so a path is safe only if it begins with a slash. A name that becomes part of a file name must not have one. Write the whole path, or a plain name.",
        "global_defs {\n    reload_file keepalived.reload\n}"
        => "global_defs {\n    reload_file /run/keepalived.reload\n}";
    WordsBeforeBrace = "SF1008", "words between the keyword of a list and its brace",
        "A list has no name: its entries stand between the braces. What stands before the opening brace is ignored, and the entry that was meant is not there. Move it between the braces.",
        "virtual_ipaddress 192.0.2.10/24 {\n}"
        => "virtual_ipaddress {\n    192.0.2.10/24\n}";
    InvalidUmask = "SF1009", "not a file creation mask",
        "A mask is one number up to 0777, octal if it begins with 0, or names of bits with `|` between them: I, then R, W or X, then USR, GRP or OTH, and IRWXU, IRWXG, IRWXO for all three. The line has no effect, and new files are private to the daemon as by default.",
        "global_defs {\n    umask IRWXG IRWXO\n}"
        => "global_defs {\n    umask IRWXG | IRWXO\n}";
    InvalidHost = "SF1010", "neither an address nor the name of a host",
        "The word can be no address and no name that a resolver could look up: a part of it is empty or too long, or a number of an address is above 255. The line has no effect; without a server no mail is sent.",
        "global_defs {\n    smtp_server 192.0.2.300\n}"
        => "global_defs {\n    smtp_server 192.0.2.30\n}";
    BufferPolicy = "SF1011", "two ways to size the same buffer",
        "The receive buffers of VRRP sockets have a size, or a policy that finds one from the MTU or from the length of advertisements. A size beats a policy, and `MTU` beats `ADVERT`. Keep the one that is meant.",
        "global_defs {\n    vrrp_rx_bufs_policy MTU\n    vrrp_rx_bufs_policy 65536\n}"
        => "global_defs {\n    vrrp_rx_bufs_policy 65536\n}";
    UndefinedInstance = "SF1012", "a name that no `vrrp_instance` has",
        "The synchronisation of IPVS connections can follow a virtual router: its master sends and its backups listen. No router of this name is there, so it does both all the time. keepalived has been seen to crash on it.",
        "vrrp_instance web {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10\n    }\n}\nglobal_defs {\n    lvs_sync_daemon eth0 wbe\n}"
        => "vrrp_instance web {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10\n    }\n}\nglobal_defs {\n    lvs_sync_daemon eth0 web\n}";
    UpDelay = "SF1013", "a link with a delay in one direction only",
        "With one number only the news that a link is down waits. keepalived's manual says that the same delay then holds for both directions; the program never did that, and neither does Steadfast. Write both numbers.",
        "interface_up_down_delays {\n    eth0 3\n}"
        => "interface_up_down_delays {\n    eth0 3 0\n}";
    CutPriority = "SF2001", "a check whose failure is hidden by the limit of 254",
        "What trackers add is summed, and the sum is cut to what a packet carries, 1 to 254. If all checks together lead beyond, the failure of one changes the advertised priority by less than its weight, or not at all. Begin with a lower `priority`.";
    NoPreemption = "SF2002", "a weighted check with `nopreempt`",
        "A weight lowers the priority of the master, and `nopreempt` tells the backup not to care: it takes over only when the master is silent. So the failure of the check moves nothing. Track it with weight 0, which makes the failure a fault, or take `nopreempt` out of the backup. In one file it is taken that the other hosts have the same setting; with the files of all hosts theirs decides.";
    LongRun = "SF2003", "a check that may run longer than its interval",
        "A run that hangs keeps the next one from starting until `timeout` ends it. Failures are noticed that much later. A timeout below the interval keeps the pace.";
    SlowCheck = "SF2004", "a failure that is noticed late",
        "A service is found dead after `fall` failures, each an `interval` after the one before, and a `timeout` for a run that hangs. If that is more than a minute, addresses stay that long with a host that does not serve.";
    AddressOffLink = "SF2005", "a virtual address outside the networks of its link",
        "Hosts on the link look for an address with ARP only if it is in one of their networks. One outside is reached only through a router that sends its packets here. Often it is a slip of the pen, or the wrong interface.";
    AddressTwice = "SF2006", "a virtual address that is static as well",
        "A static address is on the host whoever is master. While another host is master two hosts answer for it, and clients reach one of them by chance.";
    PeerIsSelf = "SF2007", "a host that is its own peer",
        "`unicast_peer` lists the other hosts. The address is the source of this host, or one that it has. A host that sends advertisements to itself drops them, so nothing breaks, but often the list was copied and lacks the host that should stand there.";
    VirtualSource = "SF2008", "advertisements sent from a virtual address",
        "The source of advertisements tells hosts apart, and decides between equal priorities. A virtual address is on the master only: a backup cannot send from it, and two hosts that speak with one address drop each other's packets.";
    UnevenGroup = "SF2009", "a sync group of unlike members",
        "The members of a group move together. If their intervals or priorities differ, each has its own idea of when and where to, and the group goes to and fro. Give all members the same values.";
    SorryIsReal = "SF2010", "a sorry server that is one of the real servers",
        "The sorry server is for the time when all real servers have failed. One of them has then failed too.";
    SuspendedForEver = "SF2011", "a suspended virtual server whose address nobody brings",
        "With `ha_suspend` the real servers are checked only while the address is on this host. If it is no virtual address of the file, it must come from elsewhere, or nothing is ever checked.";
    ShellSyntax = "SF2012", "shell syntax in a command",
        "Commands are run without a shell: `|`, `&&`, `;`, `>`, `$(…)` and the like go to the program as arguments, which mostly fails or does something else. Move the line to a script file, or run it with `/bin/sh -c`.";
    HostAddress = "SF2013", "a virtual address that is one of this host's own",
        "The host has the address whether it is master or not. While another host is master two hosts answer for it, and when this one stops being master it loses an address that it needs. Only an owner, with priority 255, has its own addresses as virtual ones. It is a note where it cannot be known who has set the address.";
    ForeignSource = "SF2014", "a source address that this host does not have",
        "Advertisements are sent from `unicast_src_ip` or `mcast_src_ip`. An address that the host does not have cannot be used, and no advertisement leaves. Often the file was copied from the other host.";
    PeerIsVirtual = "SF2015", "a peer that is a virtual address",
        "A virtual address is on the master, so packets to it reach no backup. List the addresses that the hosts have for their own.";
    NetworkAddress = "SF2016", "a network or broadcast address as a virtual one",
        "The first and the last address of a network belong to no host: nobody can speak to them. Mostly a number or the length behind the address is wrong.";
    EmptyFile = "SF2017", "a file with nothing in it",
        "No line is left after comments and the lines for other hosts are gone. A daemon that reads it has no virtual router, and at a reload gives up the ones it had. Check that the file is the right one, and was written to its end.";
    UnnamedId = "SF2018", "an id that no line of the file names",
        "Lines that begin with `@ID` are for the hosts with this id. None of the file is for the one that was asked for, so the file that was checked is not the one that a host reads. Check the spelling.";
    PortlessCheck = "SF2019", "a check without a port",
        "A check asks the port of its real server, unless `connect_port` names another. Marked traffic and services of all ports have real servers without a port, and with direct routing and tunnels a port that is written there does not count. Such a check cannot be made, so it says nothing of the server, which stays in its pool whatever happens to it. keepalived asks port 0 and takes the server out for ever.";
    UncheckedServer = "SF2020", "a real server that nobody checks",
        "Other real servers of the virtual server have checkers, and this one has none: it counts as alive for ever, and gets its share of the traffic when it is dead. Mostly a block was copied in part.";
    ClusterVersion = "SF2101", "hosts that speak different versions of VRRP",
        "A packet of the other version is dropped. No host hears a master, so each becomes one, and all of them have the addresses. Write the same `version` on all hosts, or `vrrp_version` in `global_defs`.";
    ClusterInterval = "SF2102", "hosts with different intervals",
        "keepalived drops version 2 packets with another interval than its own: all hosts become master. In version 3 a backup follows the master's interval, and how fast a failure is noticed depends on who failed. Write the same `advert_int` on all hosts.";
    ClusterAuth = "SF2103", "hosts with different authentication",
        "A packet with another password, or without one, is dropped, and all hosts become master. Only the first eight bytes of a password count.";
    ClusterAddresses = "SF2104", "hosts with different address lists",
        "An address that only one host has is lost when another takes over. keepalived before 2.3.3 also drops packets whose list is not its own, so that both hosts are master; this is what happens when an address is added on one host first.";
    EqualPriorities = "SF2105", "hosts with the same priority",
        "Of equals the one with the greater source address wins the first election; later nobody takes over from a living equal. So who is master depends on who started first. Give the preferred host more.";
    TwoStarters = "SF2106", "several hosts that begin as master",
        "`state MASTER` lets a host begin as master without listening first. If two do, whoever starts takes the addresses for a moment from a better one. Priorities decide anyway: write `state BACKUP` everywhere.";
    ClusterPreempt = "SF2107", "`nopreempt` on some hosts only",
        "A host without `nopreempt` takes the addresses back when it returns, at once or after its `preempt_delay`, whatever the others have. That is the flap that `nopreempt` was to prevent. It belongs on all hosts, with `state BACKUP`; checks with a weight move nothing then, so track them with weight 0.";
    NeverCrosses = "SF2108", "a check whose failure moves no address",
        "A failing check lowers the priority of the master by its weight. Addresses move only if that leaves it below the best backup: the weight must be greater than the difference of the priorities, which includes what the backup's own checks add. 91 and 90 with weight 2 work, with weight 1 they do not.";
    PeerMissing = "SF2109", "a peer that is not listed",
        "A unicast master speaks only to the peers that it lists. A host that is not listed hears no master, becomes one, and the addresses are there twice. Where hosts do not name their source, it is found that their lists cannot all be right: of a file that was copied one lists its own host.";
    ClusterTransport = "SF2110", "unicast on one host and multicast on another",
        "The packets of one go to peers, those of the other to a group, and each side refuses the other kind. Both become master. Use the same on all hosts.";
    ClusterGroup = "SF2111", "hosts that speak to different multicast groups",
        "A host hears only the group that it has joined. Both become master. Write the same `mcast_dst_ip`, or `vrrp_mcast_group4`, on all hosts.";
    ClusterHmac = "SF2112", "HMAC settings that refuse each other",
        "Each host must have the key that the other signs with, under the same number, and a host that enforces signatures hears no host that does not sign. To change a key, add it on all hosts first, and only then make it the active one.";
    LonelyRouter = "SF2113", "a virtual router that only one host has",
        "No other file has this number. If the host fails, nobody takes its addresses over. Often a number differs by a slip of the pen.";
    ClusterSyncGroup = "SF2114", "sync groups that differ between the hosts",
        "A group moves its members together. If another host groups them differently, or not at all, parts of it stay behind, and the addresses that belong together are on different hosts.";
    SameSource = "SF2115", "hosts that send from one address",
        "A packet from its own address is dropped by a host, as its own echo. Hosts that share a source never hear each other, and all become master.";
    TwoOwners = "SF2116", "several owners of one address",
        "Priority 255 is for the host whose own addresses the virtual ones are. Two owners never yield to each other. Give at most one host 255, or none.";
    AddressElsewhere = "SF2117", "an address in different virtual routers",
        "Hosts take part in a virtual router by its number. An address that has one number here and another there has two masters. A router with another number on one host, and two routers whose addresses are exchanged, are one finding each. Write the same `virtual_router_id` on all hosts.";
    ClusterChecksum = "SF2118", "hosts that make checksums differently",
        "The checksum of version 3 covers a pseudo header, which `v3_checksum_as_v2` leaves out. A packet made the other way is dropped, and both hosts become master.";
    StrayPeer = "SF2119", "a peer that is none of the hosts",
        "The peer is not the source of any of the files, and all of them have named theirs. It may be a host whose file was not given; else it is a slip of the pen, or is left from a host that is gone.";
}

impl Code {
    /// The file is right; this release does not act on it yet.
    #[must_use]
    pub const fn is_not_built(self) -> bool {
        matches!(self, Self::NotBuilt)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_unique() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].id() < pair[1].id()));
    }
}
