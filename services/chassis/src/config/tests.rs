//! What a configuration may say, and what is said of one that may not.

use std::path::Path;

use super::*;

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::of(Path::new("node.toml"), text, variables).map_err(|error| error.to_string())
}

fn wrong(text: &str) -> String {
    let words = read(text, &[]).unwrap_err();
    assert!(!words.contains('\n'), "{words}");
    words
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(read("", &[]).unwrap(), Config::default());
}

#[test]
fn the_reference_shows_every_setting_with_its_default() {
    let reference = Config::reference();
    assert_eq!(read(&reference, &[]).unwrap(), Config::default(), "as it is printed");
    let setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let uncommented: String = reference
        .lines()
        .map(|line| if setting(&line) { line.trim_start_matches('#') } else { line })
        .flat_map(|line| [line, "\n"])
        .collect();
    let all: Config = toml::from_str(&uncommented).unwrap();
    assert_eq!(all.listen.grpc, Config::default().listen.grpc);
    assert!(all.auth.issuer.is_some() && all.hub.authority.is_some(), "examples are set");
    let shown = reference.lines().filter(setting).count();
    let documented = reference
        .lines()
        .zip(reference.lines().skip(1))
        .filter(|(above, line)| setting(line) && above.starts_with("# "));
    assert_eq!(documented.count(), shown, "every setting has its words above it");
    assert!(shown > 30);
}

#[test]
fn the_environment_counts_more_than_the_file() {
    let config = read(
        "[listen]\ngrpc = \"127.0.0.1:1\"\n[node]\nname = \"alpha\"\n[auth]\naudience = \"a\"",
        &[
            ("COMMONWEAL_LISTEN__GRPC", "127.0.0.1:2"),
            ("COMMONWEAL_NODE__ONLY", "membership, measurement"),
            ("COMMONWEAL_NODE__NAME", "12"),
            ("COMMONWEAL_DATABASE__URL", "postgres://u:p@h/d"),
            ("COMMONWEAL_LIMITS__BURST", "7"),
            ("COMMONWEAL_HUB__ENABLED", "true"),
            ("COMMONWEAL_TELEMETRY__LOG_FORMAT", "json"),
            ("COMMONWEAL_TOKEN", "not a setting"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.listen.grpc.port(), 2);
    assert_eq!(config.node.only, ["membership", "measurement"]);
    assert_eq!((config.node.name.as_str(), config.auth.audience.as_str()), ("12", "a"));
    assert_eq!(config.database.url.unwrap().reveal(), "postgres://u:p@h/d");
    assert_eq!((config.limits.burst, config.hub.enabled), (7, true));
    assert_eq!(config.telemetry.log_format, LogFormat::Json);
}

#[test]
fn what_is_wrong_in_the_file_is_named_with_what_is_allowed() {
    assert_eq!(
        wrong("[node]\nname = \"a\"\n\n[listen]\ngrcp = \"127.0.0.1:1\"\n"),
        "node.toml, line 5, [listen] grcp: unknown field `grcp`, expected one of `grpc`, `certificate`, `key`, \
         `insecure`, `allowed_origins`, `drain_seconds`"
    );
    let section = wrong("[listener]\ngrpc = 1");
    assert!(
        section.starts_with("node.toml, line 1, [listener]: unknown field `listener`, expected one of `node`"),
        "{section}"
    );
    assert_eq!(
        wrong("[listen]\ngrpc = 5"),
        "node.toml, line 2, [listen] grpc: invalid type: integer `5`, expected socket address"
    );
    assert!(wrong("[listen]\ngrpc = \"here\"").starts_with("node.toml, line 2, [listen] grpc: invalid socket address"));
    let format = wrong("[telemetry]\nlog_format = \"xml\"");
    assert!(format.contains("log_format: unknown variant `xml`, expected `text` or `json`"), "{format}");
    assert!(wrong("[listen\n").starts_with("node.toml, line 1"));
}

#[test]
fn what_is_wrong_in_a_variable_is_named_with_what_is_allowed() {
    let table = [
        (
            "COMMONWEAL_LISTEN__GRCP",
            "x",
            "environment variable COMMONWEAL_LISTEN__GRCP: [listen] has no grcp, expected one of grpc, certificate, key, \
             insecure, allowed_origins, drain_seconds",
        ),
        (
            "COMMONWEAL_LISTEN__GRPC",
            "here",
            "environment variable COMMONWEAL_LISTEN__GRPC: \"here\" is not an address and a port, such as 127.0.0.1:7420",
        ),
        (
            "COMMONWEAL_HUB__ENABLED",
            "yes",
            "environment variable COMMONWEAL_HUB__ENABLED: \"yes\" is not true or false",
        ),
        (
            "COMMONWEAL_LIMITS__BURST",
            "-1",
            "environment variable COMMONWEAL_LIMITS__BURST: \"-1\" is not a whole number",
        ),
    ];
    for (variable, value, words) in table {
        assert_eq!(read("", &[(variable, value)]).unwrap_err(), words);
    }
    assert!(read("", &[("COMMONWEAL_LISTENER__GRPC", "x")]).unwrap_err().contains("there is no section [listener]"));
}

#[test]
fn settings_that_belong_together_are_asked_for_together() {
    for (text, words) in [
        ("[listen]\ncertificate = \"c\"", "listen.certificate and listen.key go together"),
        ("[auth]\nissuer = \"i\"", "auth.issuer needs its keys"),
        ("[auth]\njwks_url = \"u\"", "set auth.issuer too"),
        ("[auth]\nissuer = \"i\"\njwks_url = \"u\"\njwks_file = \"f\"", "not both"),
        ("[database]\nconnections = 0", "database.connections must be at least 1"),
    ] {
        assert!(wrong(text).contains(words), "{text}");
    }
}

#[test]
fn secrets_come_from_files_and_never_show() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    std::fs::write(&path, "postgres://u:hush@h/d\n").unwrap();
    let table = format!("{{ file = \"{}\" }}", path.display());
    let config = read(&format!("[database]\nurl = {table}"), &[("COMMONWEAL_BROKER__URL", table.as_str())]).unwrap();
    assert_eq!(config.database.url.as_ref().unwrap().reveal(), "postgres://u:hush@h/d");
    assert_eq!(config.broker.url.as_ref().unwrap().reveal(), "postgres://u:hush@h/d");
    assert!(!format!("{config:?}").contains("hush"));
    let missing = wrong("[database]\nurl = { file = \"/nowhere/url\" }");
    assert!(missing.contains("cannot read the secret in /nowhere/url"), "{missing}");
    assert!(!wrong("[database]\nurll = \"hush\"").contains("hush"));
    assert!(!wrong("[database]\nurl = { fil = \"hush\" }").contains("hush"));
}
