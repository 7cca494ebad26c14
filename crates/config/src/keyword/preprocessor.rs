//! Directives that work on lines, before keywords are looked for.

use super::{FLAG, Keyword, built, grammar, word};

/// Includes, conditions, definitions and repetitions.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const PREPROCESSOR: &[Keyword] = &[
    built("include", word("GLOB"))
        .doc("Reads the matching files in place of this line. Rest of the line, not quoted; {a,b} braces, * ? [] wildcards, relative to the including file. Lenient variant: problems are logged but are not errors unless include_check or -e is active."),
    built("includer", word("GLOB"))
        .doc("Like include but an unreadable, directory, executable or non-regular match is an error. Adds the read check."),
    built("includem", word("GLOB"))
        .doc("Like include but a plain pathname (no wildcard) that matches nothing is an error. Adds read and match checks."),
    built("includew", word("GLOB"))
        .doc("Like include but even a wildcard that matches nothing is an error. Adds read, match and wildcard_match checks."),
    built("includeb", word("GLOB"))
        .doc("Like include but every alternative of a brace expression must exist. Adds read and brace_match checks."),
    built("includea", word("GLOB"))
        .doc("Like include with every check enabled. Adds all four checks."),
    built("@ID", grammar("@ID followed by blanks and the rest of the line"))
        .doc("Keeps the rest of the line only when the config id equals ID.")
        .such_as("@web1 priority 150"),
    built("@^ID", grammar("@^ID followed by blanks and the rest of the line"))
        .doc("Keeps the rest of the line only when the config id differs from ID.")
        .such_as("@^web1 priority 100"),
    built("$NAME=", grammar("$NAME=TEXT (NAME is [A-Za-z_][A-Za-z0-9_]*, no blank before =); a trailing backslash continues the text on the next line"))
        .doc("Defines a substitution parameter, possibly of several lines.")
        .such_as("$NET=192.0.2"),
    built("$NAME", grammar("bare form must be followed by blank , ) or end of line"))
        .doc("Is replaced by the value of the parameter NAME.")
        .such_as("unicast_src_ip $SOURCE"),
    built("${NAME}", grammar("braced form, may be followed by anything"))
        .doc("Is replaced by the value of the parameter NAME.")
        .such_as("unicast_src_ip ${NET}.10"),
    built("${_PWD}", FLAG).or("directory of the file being read")
        .doc("Expands to the directory of the file that is being read. Can be redefined.")
        .such_as("include ${_PWD}/conf.d/*.conf"),
    built("${_INSTANCE}", FLAG).or("config id (-i, else host name up to the first dot)")
        .doc("Expands to the config id. Can be redefined.")
        .such_as("router_id ${_INSTANCE}"),
    built("${_RANDOM}", grammar("[MIN [MAX]] unsigned decimals")).or("MIN 0, MAX 32767")
        .doc("Expands to a random integer between MIN and MAX inclusive. Drawn anew for each use and each reading.")
        .such_as("vrrp_startup_delay ${_RANDOM 1 9}"),
    built("${_ENV VAR}", grammar("VAR name of one environment variable")).or("empty when VAR is unset")
        .doc("Expands to the value of an environment variable.")
        .such_as("router_id ${_ENV HOSTNAME}"),
    built("${_HASH}", FLAG).or("#")
        .doc("Expands to a literal hash sign.")
        .such_as("auth_pass ab${_HASH}cd"),
    built("${_BANG}", FLAG).or("!")
        .doc("Expands to a literal exclamation mark.")
        .such_as("auth_pass ab${_BANG}cd"),
    built("~SEQ", grammar("~SEQ(VAR, [START, [STEP,]] END) TEXT; integers decimal, 0x hex or 0 octal"))
        .or("START 1 (or -1 when END < 0), STEP 1 or -1")
        .doc("Repeats TEXT once per number with VAR set to it in decimal.")
        .such_as("~SEQ(N, 1, 3) 192.0.2.${N}/24"),
    built("~SEQx", grammar("~SEQx(VAR, [START, [STEP,]] END) TEXT; numbers must not be negative")).or("as ~SEQ")
        .doc("Repeats TEXT once per number with VAR set to it in lower case hex without prefix.")
        .such_as("~SEQx(N, 10, 12) 2001:db8::${N}/64"),
    built("~LST", grammar("~LST(VAR, V1, V2 ...) TEXT or ~LST({A,B}, {a1,b1}, {a2,b2} ...) TEXT"))
        .or("missing values in a group are empty")
        .doc("Repeats TEXT once per listed value or group of values.")
        .such_as("~LST(H, 11, 13, 17) 192.0.2.${H}/24"),
];
