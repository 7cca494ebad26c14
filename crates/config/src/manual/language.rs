//! The language beyond its keywords, for both references.

/// One subject.
pub(super) struct Chapter {
    pub(super) title: &'static str,
    /// Paragraphs; code stands in backquotes.
    pub(super) text: &'static [&'static str],
    /// Lines of a file; none if empty.
    pub(super) example: &'static str,
}

/// What there is to know before any keyword.
pub(super) const LANGUAGE: &[Chapter] = &[
    Chapter {
        title: "Lines and blocks",
        text: &[
            "A line begins with a keyword; what follows are its values, separated by blanks. A keyword that opens a block is followed by `{`, on the same line or the next, and the block ends with `}`. Only the end of a line or a brace ends a statement: two keywords on one line are one keyword with values too many.",
            "Keywords are matched as a whole, with their case. An unknown keyword is reported and ignored, with the whole block that follows it. Some blocks hold no keywords but a list: one entry a line, or one a word.",
            "A line has at most 1022 bytes. Files are UTF-8.",
        ],
        example: "vrrp_instance web {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        192.0.2.10/24\n    }\n}",
    },
    Chapter {
        title: "Comments and quotes",
        text: &[
            "A comment begins with `#` or `!`, anywhere outside double quotes, and ends with the line.",
            "A double quote begins a word that ends with the next double quote of the line and may hold blanks, braces and comment signs. The commands of scripts are read once more: there single quotes group words too, and a backslash keeps the next character from acting. A command with arguments is one word in double quotes. No shell is involved.",
        ],
        example: "notify_master \"/usr/local/bin/told.sh 'one argument' two\"",
    },
    Chapter {
        title: "Values",
        text: &[
            "Numbers are decimal. Seconds may have a fraction where the reference gives a least value with one. A boolean is one of `true`, `on`, `yes`, `false`, `off` and `no`; a boolean keyword alone means true. A flag takes no value: `nopreempt false` switches it on.",
            "In the reference, words in capitals stand for values, `|` separates choices, brackets hold what may be left out, and `N..M` is a range.",
        ],
        example: "",
    },
    Chapter {
        title: "Definitions",
        text: &[
            "`$NAME=VALUE` at the start of a line defines a parameter; `${NAME}`, or `$NAME` before a blank, comma, closing parenthesis or the end of the line, is replaced by the value. If the line ends in a backslash, the lines that follow belong to the value, up to the first that does not end so. A value of several lines is put in only where its use is the last thing on a line.",
            "The names that begin with an underscore are there without a definition; see the directives below.",
        ],
        example: "$NET=192.0.2\nvrrp_instance web {\n    virtual_ipaddress {\n        ${NET}.10/24\n    }\n}",
    },
    Chapter {
        title: "Conditions",
        text: &[
            "A line that begins with `@ID` counts only if the config id is `ID`, one that begins with `@^ID` only if it is not. The id is given with `-i`, and is else the name of the host up to its first dot. So one file can serve all hosts of a cluster.",
        ],
        example: "@web1  priority 150\n@^web1 priority 100",
    },
    Chapter {
        title: "Repetition",
        text: &[
            "`~SEQ(NAME, START, STEP, END)` at the start of a line repeats the rest of the line for each number, with the parameter NAME set to it; START and STEP may be left out. `~SEQx` counts in hexadecimal, and `~LST` goes through a list of values or of groups of values.",
        ],
        example: "~SEQ(N, 10, 19) 192.0.2.${N}/24",
    },
    Chapter {
        title: "Includes",
        text: &[
            "`include PATTERN` reads all files that match, in order of their names, as if they stood in its place. A relative name is relative to the folder of the file that has the line. The variants with another letter at the end, and `include_check` in `global_defs`, say which problems are errors.",
        ],
        example: "include conf.d/*.conf",
    },
];
