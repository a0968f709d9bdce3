//! The README, followed to the letter: its commands are taken out of it and run as they stand, on a backbone and a
//! partner of one machine, and every answer that it shows after `# =>` is the one that comes.
//!
//! Other than the reader's are the ports, for those of the README may be taken, the invitation, and the program, which
//! was built with this test. What cannot be typed on one machine without a network is left out: the build, and
//! `grpcurl`.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::slice::from_ref;

use chassis::config::PREFIX;
use node::fleet::{Process, until};
use tempfile::TempDir;

use super::PROGRAM;

/// Begins what bash says where an answer is shown: the number of the README's line follows.
const SHOWN: char = '\u{1e}';

/// What every terminal knows before the first line is typed, in one line.
const TERMINAL: &str = "set -Eeuo pipefail; shopt -s expand_aliases; trap 'echo \"README.md: line $LINENO failed\" >&2' ERR; \
                        cargo() { :; }; alias commonweal=$PWD/target/release/commonweal";

/// The README by lines, the first one at 0.
struct Readme(Vec<String>);

impl Readme {
    fn read() -> Self {
        let text = std::fs::read_to_string(repository().join("README.md")).unwrap();
        Self(text.lines().map(str::to_owned).collect())
    }

    /// Puts what a reader would, where the README cannot know it.
    fn put(&mut self, instead: &str, what: &str) {
        assert!(self.0.iter().any(|line| line.contains(instead)), "the README has no {instead}");
        for line in &mut self.0 {
            *line = line.replace(instead, what);
        }
    }

    /// The lines in each block of commands of a section.
    fn blocks(&self, section: &str) -> Vec<Range<usize>> {
        let begins = self.0.iter().position(|line| line == section).unwrap_or_else(|| panic!("no section {section}"));
        let section = self.0.iter().enumerate().skip(begins + 1).take_while(|(_, line)| !line.starts_with("## "));
        let fences: Vec<usize> = section.filter(|(_, line)| line.starts_with("```")).map(|(at, _)| at).collect();
        fences.chunks(2).map(|pair| pair[0] + 1..pair[1]).collect()
    }

    /// The first line of a block that begins so.
    fn line(&self, block: &Range<usize>, begins: &str) -> usize {
        let found = block.clone().find(|at| self.0[*at].starts_with(begins));
        found.unwrap_or_else(|| panic!("no line of the README from {} on begins with {begins}", block.start + 1))
    }

    /// These lines, each where the README has it, so that bash names the README's lines; the others are empty. Where
    /// answers are shown, the script says so.
    fn script(&self, typed: &[Range<usize>]) -> String {
        let line = |(at, line): (usize, &String)| match line.strip_prefix("# =>") {
            _ if at == 0 => TERMINAL.to_owned(),
            _ if !typed.iter().any(|range| range.contains(&at)) => String::new(),
            Some(_) if self.0[at - 1].starts_with("# =>") => String::new(),
            Some(_) => format!("echo '{SHOWN}{}'", at + 1),
            None => line.clone(),
        };
        self.0.iter().enumerate().map(line).collect::<Vec<_>>().join("\n") + "\n"
    }

    /// The answer that is shown from a line on, the first line being 1.
    fn shown(&self, at: usize) -> Vec<&str> {
        self.0[at - 1..].iter().map_while(|line| line.strip_prefix("# =>")).map(str::trim).collect()
    }
}

/// Somebody at a machine of their own, in a folder like the README's.
struct Reader {
    folder: TempDir,
    readme: Readme,
}

impl Reader {
    fn sit_down() -> Self {
        let folder = TempDir::new().unwrap();
        for name in [".tools", "deploy", "tests"] {
            symlink(repository().join(name), folder.path().join(name)).unwrap();
        }
        std::fs::create_dir_all(folder.path().join("target/release")).unwrap();
        symlink(PROGRAM, folder.path().join("target/release/commonweal")).unwrap();
        Self { folder, readme: Readme::read() }
    }

    fn bash(&self, script: &str) -> Command {
        let file = self.folder.path().join("typed.sh");
        std::fs::write(&file, script).unwrap();
        let mut bash = Command::new("bash");
        for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with(PREFIX)) {
            bash.env_remove(variable);
        }
        bash.arg(file).current_dir(self.folder.path()).stdin(Stdio::null());
        bash
    }

    /// Types lines of the README, and gives what came; everything must go well, and every answer be the one shown.
    fn types(&self, lines: &[Range<usize>]) -> String {
        let output = self.bash(&self.readme.script(lines)).output().unwrap();
        let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{wrong}\nafter it had said:\n{said}");
        let mut answer = Vec::new();
        for line in said.lines() {
            if let Some(at) = line.strip_prefix(SHOWN) {
                let shown = self.readme.shown(at.parse().unwrap());
                assert_eq!(answer, shown, "README.md: line {at}: left is what came, right is what it shows");
                answer.clear();
            } else {
                answer.push(line.trim());
            }
        }
        answer.join("\n")
    }

    /// Whether a command ends well.
    fn succeeds(&self, command: &str) -> bool {
        self.bash(&format!("{TERMINAL}\n{command}\n")).output().unwrap().status.success()
    }

    /// Waits as a reader does who looks again.
    async fn looks_until(&self, command: &str) {
        until(command, async || Ok(self.succeeds(command).then_some(()))).await.unwrap();
    }

    /// Starts a node with its configuration, as a reader does in a terminal of its own.
    async fn serves(&self, name: &str) -> Process {
        let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        let process = Process::start(Path::new(PROGRAM), name, &file("toml"), file("log"), None).unwrap();
        self.looks_until(&format!("commonweal health --config {name}.toml")).await;
        process
    }

    fn adds(&self, file: &str, text: &str) {
        let file = self.folder.path().join(file);
        let before = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, before + text).unwrap();
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// An address that nothing listens on.
fn free() -> String {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn what_the_readme_says_is_what_comes_of_it() {
    let mut reader = Reader::sit_down();
    let (backbone, partner) = (free(), free());
    reader.readme.put("127.0.0.1:7420", &backbone);
    reader.readme.put("127.0.0.1:7430", &partner);
    reader.readme.put("--hub-address tls://hub.example.org:7421 ", "");
    let blocks = |section| reader.readme.blocks(section);
    let [make, join, report, begin, gather, more, port] =
        blocks("## Run one partner node for real").try_into().unwrap();
    let [call] = blocks("## Call it").try_into().unwrap();
    let lived = blocks("## The five conditions, lived");

    reader.types(from_ref(&(begin.start..reader.readme.line(&begin, "commonweal serve"))));
    reader.adds("backbone.toml", &format!("listen = \"{}\"\n\n[listen]\ngrpc = \"{backbone}\"\n", free()));
    let holds = reader.serves("backbone").await;
    reader.types(&[make.start..reader.readme.line(&make, "commonweal serve"), port]);
    let takes_part = reader.serves("hartford").await;

    let staff = reader.readme.line(&gather, "export")..reader.readme.line(&gather, "export") + 1;
    let asked = reader.readme.line(&gather, "commonweal member admit \"Hartford");
    let said = reader.types(from_ref(&(gather.start..asked)));
    let invitation = said.split_whitespace().find(|word| word.starts_with("commonweal1:")).unwrap();
    reader.readme.put("commonweal1:...", invitation);
    reader.types(from_ref(&join));
    reader.looks_until("commonweal member list --config backbone.toml | grep 'Hartford School District'").await;
    reader.types(&[staff.clone(), asked..gather.end]);
    reader.looks_until("commonweal measure list --config hartford.toml | grep enrollment").await;
    let said = reader.types(&[join.start..join.start + 1, report]);
    assert!(said.contains("Everything holds."), "{said}");

    let said = reader.types(&[staff.clone(), call.start..reader.readme.line(&call, "grpcurl")]);
    assert!(said.contains("Every student graduates"), "{said}");
    reader.types(&lived);
    reader.types(&[staff, more]);
    takes_part.stop().await.unwrap();
    holds.stop().await.unwrap();
}
