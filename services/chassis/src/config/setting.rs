//! The kinds of value a setting can have: how each is shown in TOML, and read from a variable.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// A kind of value.
pub(super) trait Setting: Sized {
    /// In TOML; `None` where there is nothing to show.
    fn shown(&self) -> Option<String>;

    /// From a variable's text; the error says what is expected.
    fn read(text: &str) -> Result<Self, String>;
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A value that never shows: not in logs, not in errors.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SecretForm")]
pub struct Secret(String);

/// Written as text, or as the file it stands in.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text, or { file = \"...\" }")]
enum SecretForm {
    Text(String),
    File(SecretFile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFile {
    file: PathBuf,
}

impl Secret {
    /// A secret that is this text.
    pub fn of(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The value, for whom it is meant.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<SecretForm> for Secret {
    type Error = String;

    fn try_from(form: SecretForm) -> Result<Self, String> {
        match form {
            SecretForm::Text(text) => Ok(Self(text)),
            SecretForm::File(SecretFile { file }) => {
                let text = std::fs::read_to_string(&file);
                let text = text.map_err(|error| format!("cannot read the secret in {}: {error}", file.display()))?;
                Ok(Self(text.trim_end().to_owned()))
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl Setting for Secret {
    fn shown(&self) -> Option<String> {
        None
    }

    fn read(text: &str) -> Result<Self, String> {
        if !text.starts_with('{') {
            return Ok(Self::of(text));
        }
        #[derive(Deserialize)]
        struct Line {
            value: Secret,
        }
        let line: Result<Line, toml::de::Error> = toml::from_str(&format!("value = {text}"));
        line.map(|line| line.value).map_err(|error| error.message().to_owned())
    }
}

impl<T: Setting> Setting for Option<T> {
    fn shown(&self) -> Option<String> {
        self.as_ref().and_then(T::shown)
    }

    /// An empty variable is none: it takes away what the file says.
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::read(text).map(Some) }
    }
}

impl Setting for Vec<String> {
    fn shown(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }

    /// Separated by commas.
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect())
    }
}

impl Setting for String {
    fn shown(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }

    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Setting for PathBuf {
    fn shown(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }

    fn read(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

impl Setting for SocketAddr {
    fn shown(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("\"{text}\" is not an address and a port, such as 127.0.0.1:7420"))
    }
}

impl Setting for LogFormat {
    fn shown(&self) -> Option<String> {
        Some(match self {
            Self::Text => "\"text\"".to_owned(),
            Self::Json => "\"json\"".to_owned(),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("\"{text}\" is none of text, json")),
        }
    }
}

macro_rules! plain {
    ($($type:ty, $what:literal;)+) => {$(
        impl Setting for $type {
            fn shown(&self) -> Option<String> {
                Some(self.to_string())
            }

            fn read(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!(concat!("\"{}\" is not ", $what), text))
            }
        }
    )+};
}

plain! {
    bool, "true or false";
    u32, "a whole number";
    u64, "a whole number";
    usize, "a whole number";
}
