//! Help that a volunteer can use: every command says what it does, shows examples, and every option says what it is.

use crate::stage::Stage;

const COMMANDS: &[&[&str]] = &[
    &["init"],
    &["serve"],
    &["token"],
    &["invite"],
    &["join"],
    &["revoke"],
    &["key"],
    &["key", "show"],
    &["key", "rotate"],
    &["key", "forget"],
    &["initiative"],
    &["initiative", "begin"],
    &["initiative", "list"],
    &["organization"],
    &["organization", "register"],
    &["organization", "list"],
    &["member"],
    &["member", "request"],
    &["member", "invite"],
    &["member", "admit"],
    &["member", "grant"],
    &["member", "end-role"],
    &["member", "suspend"],
    &["member", "reinstate"],
    &["member", "end"],
    &["member", "list"],
    &["measure"],
    &["measure", "list"],
    &["measure", "rollup"],
    &["import"],
    &["import", "connecticut"],
    &["import", "grants"],
    &["import", "directory"],
    &["import", "agenda"],
    &["import", "iati"],
    &["import", "mail"],
    &["status"],
    &["doctor"],
    &["quarantine"],
    &["quarantine", "list"],
    &["quarantine", "show"],
    &["quarantine", "retry"],
    &["quarantine", "drop"],
    &["verify"],
    &["health"],
    &["migrate"],
    &["hub-config"],
    &["demo"],
];

#[tokio::test]
async fn every_command_has_examples_and_explains_its_options() {
    let stage = Stage::set();
    for command in COMMANDS {
        let said = stage.run(&[command, &["--help"][..]].concat()).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let name = command.join(" ");
        assert!(said.out.contains("Example"), "{name} has no examples");
        assert!(said.out.contains(&format!("  commonweal {name}")), "{name}: an example must be what one types");
        assert!(said.out.lines().all(|line| line.chars().count() <= 130), "{name}: lines too long to read");
    }
}

#[tokio::test]
async fn the_help_names_every_command_and_every_exit_code() {
    let said = Stage::set().run(&["--help"]).await;
    assert_eq!(said.code, Some(0));
    for command in COMMANDS.iter().filter(|command| command.len() == 1) {
        assert!(said.out.contains(&format!("\n  {} ", command.concat())), "{command:?}");
    }
    let text = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for code in [
        "0 done",
        "1 it failed",
        "2 something typed or configured is wrong",
        "3 no node answers",
        "4 a check did not hold",
    ] {
        assert!(text.contains(code), "{code}");
    }
}

#[tokio::test]
async fn what_is_mistyped_exits_with_2() {
    let stage = Stage::set();
    for arguments in [&["verfy"][..], &["import", "connecticut"], &["revoke", "x"], &["invite"]] {
        assert_eq!(stage.run(arguments).await.code, Some(2), "{arguments:?}");
    }
}
