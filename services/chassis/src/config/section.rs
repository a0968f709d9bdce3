//! The macros that make a section's struct, its defaults, its documentation and its variables from one text.

/// One setting, as the reference shows it.
pub(super) struct Shown {
    pub(super) field: &'static str,
    /// Lines of documentation, each with its leading blank.
    pub(super) docs: &'static [&'static str],
    /// The default or an example, in TOML.
    pub(super) value: String,
}

/// A section of the configuration.
pub(super) trait Section: Default {
    const NAME: &'static str;

    /// Its settings in order.
    fn shown() -> Vec<Shown>;

    /// Sets a field from a variable's text.
    fn set(&mut self, field: &str, text: &str) -> Result<(), String>;
}

/// A section: `field: Type = default;` with its documentation, and `as "..."` an example where the default is nothing.
macro_rules! section {
    ($name:ident $section:literal {
        $($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr $(, as $example:literal)?;)+
    }) => {
        #[doc = concat!("The section `[", $section, "]`.")]
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::config::section::Section for $name {
            const NAME: &'static str = $section;

            fn shown() -> Vec<$crate::config::section::Shown> {
                use $crate::config::setting::Setting;
                let default = Self::default();
                vec![$($crate::config::section::Shown {
                    field: stringify!($field),
                    docs: &[$($doc),+],
                    value: default.$field.shown().unwrap_or_else(|| {
                        let examples: &[&str] = &[$($example)?];
                        format!("{:?}", examples.first().copied().unwrap_or_default())
                    }),
                }),+]
            }

            fn set(&mut self, field: &str, text: &str) -> Result<(), String> {
                match field {
                    $(stringify!($field) => {
                        self.$field = $crate::config::setting::Setting::read(text)?;
                        Ok(())
                    })+
                    _ => Err(format!(
                        "[{}] has no {field}, expected one of {}",
                        $section,
                        [$(stringify!($field)),+].join(", "),
                    )),
                }
            }
        }
    };
}

/// The whole of it: `name: Section` with what it is about.
macro_rules! config {
    ($($(#[doc = $doc:literal])+ $field:ident: $section:ident,)+) => {
        /// Everything that can be set.
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $field: $section,)+
        }

        impl Config {
            /// An example file with every setting, what it means and its default.
            pub fn reference() -> String {
                let mut text = String::from(load::PREAMBLE);
                $(load::show::<$section>(&mut text, &[$($doc),+]);)+
                text
            }

            /// Sets a field of a section from a variable's text.
            fn set(&mut self, section: &str, field: &str, text: &str) -> Result<(), String> {
                match section {
                    $(stringify!($field) => section::Section::set(&mut self.$field, field, text),)+
                    _ => Err(format!("there is no section [{section}], expected one of {}", [$(stringify!($field)),+].join(", "))),
                }
            }
        }
    };
}

pub(super) use {config, section};
