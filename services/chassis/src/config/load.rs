//! Reads the file and the variables, and finds words for what is wrong in them.

use std::path::Path;

use super::section::Section;
use super::{Config, ConfigError, PREFIX};

/// What the reference begins with.
pub(super) const PREAMBLE: &str = "\
# Configuration of a Commonweal node. What is commented out shows the default, or an example where there is none.
# Every setting can come from the environment instead, which counts more: COMMONWEAL_<SECTION>__<FIELD>, such as
# COMMONWEAL_LISTEN__GRPC=127.0.0.1:7420. Lists are separated by commas there.
";

/// Appends a section to the reference.
pub(super) fn show<S: Section>(text: &mut String, about: &[&str]) {
    text.push('\n');
    for line in about {
        text.push_str(&format!("#{line}\n"));
    }
    text.push_str(&format!("[{}]\n", S::NAME));
    for setting in S::shown() {
        for line in setting.docs {
            text.push_str(&format!("#{line}\n"));
        }
        text.push_str(&format!("#{} = {}\n", setting.field, setting.value));
    }
}

/// The environment of this process.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        // Lossy: a value that is no text cannot be a setting, and is refused as what it looks like.
        Some((name, value.to_string_lossy().into_owned()))
    })
}

impl Config {
    /// Reads a file, if one is given, and then the environment.
    ///
    /// # Errors
    /// Where a section or field is unknown, a value is not what it should be, or settings do not go together.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let text = match path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?,
        };
        Self::of(path.unwrap_or(Path::new("commonweal.toml")), &text, environment())
    }

    /// The same from a file's text and variables given.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of(
        path: &Path,
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| in_file(path, text, &error))?;
        for (variable, value) in variables {
            let Some((section, field)) = variable.strip_prefix(PREFIX).and_then(|name| name.split_once("__")) else {
                continue;
            };
            config
                .set(&section.to_lowercase(), &field.to_lowercase(), &value)
                .map_err(|wrong| ConfigError::Variable { variable, wrong })?;
        }
        config.together()?;
        Ok(config)
    }

    /// Checks what single settings cannot.
    fn together(&self) -> Result<(), ConfigError> {
        let auth = &self.auth;
        let rules = [
            (
                self.listen.certificate.is_some() != self.listen.key.is_some(),
                "listen.certificate and listen.key go together: set both or none",
            ),
            (
                self.hub.certificate.is_some() != self.hub.key.is_some()
                    || self.hub.certificate.is_some() != self.hub.authority.is_some(),
                "hub.certificate, hub.key and hub.authority go together: set all or none",
            ),
            (
                auth.issuer.is_some() && auth.jwks_file.is_none() && auth.jwks_url.is_none(),
                "auth.issuer needs its keys: set auth.jwks_url or auth.jwks_file",
            ),
            (
                auth.jwks_file.is_some() && auth.jwks_url.is_some(),
                "set one of auth.jwks_file and auth.jwks_url, not both",
            ),
            (
                auth.issuer.is_none() && (auth.jwks_file.is_some() || auth.jwks_url.is_some()),
                "keys without their issuer: set auth.issuer too",
            ),
            (self.database.connections == 0, "database.connections must be at least 1"),
            (self.limits.message_bytes == 0, "limits.message_bytes must be at least 1"),
            (self.limits.request_seconds == 0, "limits.request_seconds must be at least 1"),
            (
                self.limits.calls_per_second > 0 && self.limits.burst == 0,
                "limits.burst must be at least 1 where limits.calls_per_second is set",
            ),
        ];
        match rules.into_iter().find(|(broken, _)| *broken) {
            Some((_, words)) => Err(ConfigError::Together(words)),
            None => Ok(()),
        }
    }
}

/// Line, section and field of an error, never the line itself: a secret may stand in it.
fn in_file(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    let upto: Vec<&str> = text.lines().take(line).collect();
    let section = upto.iter().rev().map(|line| line.trim()).find(|line| line.starts_with('[')).unwrap_or_default();
    let own = upto.last().map(|line| line.trim()).filter(|line| !line.starts_with('[')).unwrap_or_default();
    let field = own.split_once('=').map_or("", |(field, _)| field.trim());
    let place = [section, field].iter().filter(|part| !part.is_empty()).fold(String::new(), |place, part| {
        if place.is_empty() { format!(", {part}") } else { format!("{place} {part}") }
    });
    let wrong = error.message().replace('\n', " ");
    ConfigError::File { path: path.to_owned(), line, place, wrong }
}
