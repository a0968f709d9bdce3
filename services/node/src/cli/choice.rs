//! Words of the contract as people type and read them: `SECTOR_HOUSE_OF_WORSHIP` is "house-of-worship".

use clap::builder::{PossibleValuesParser, TypedValueParser};
use proto::common::Role;
use proto::measurement::Basis;
use proto::membership::{InitiativeState, MembershipState, Sector};

/// An enumeration of the contract.
pub(super) trait Word: TryFrom<i32> + Copy + Send + Sync + 'static {
    /// What begins the name of each of its values.
    const PREFIX: &'static str;

    /// The name in the contract.
    fn name(self) -> &'static str;

    /// As it is typed.
    fn typed(self) -> String {
        self.name().trim_start_matches(Self::PREFIX).to_lowercase().replace('_', "-")
    }

    /// All values but the unspecified.
    fn all() -> impl Iterator<Item = Self> {
        (1..).map_while(|number| Self::try_from(number).ok())
    }
}

macro_rules! words {
    ($($word:ty, $prefix:literal;)+) => {$(
        impl Word for $word {
            const PREFIX: &'static str = $prefix;

            fn name(self) -> &'static str {
                self.as_str_name()
            }
        }
    )+};
}

words! {
    Basis, "BASIS_";
    InitiativeState, "INITIATIVE_STATE_";
    MembershipState, "MEMBERSHIP_STATE_";
    Role, "ROLE_";
    Sector, "SECTOR_";
}

/// Reads a word from the command line; help and complaints list those there are.
pub(super) fn choice<W: Word>() -> impl TypedValueParser<Value = W> {
    PossibleValuesParser::new(W::all().map(Word::typed))
        .try_map(|typed| W::all().find(|word| word.typed() == typed).ok_or("is not a word of this version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_contract() {
        let sectors: Vec<String> = Sector::all().map(Word::typed).collect();
        let wanted =
            ["nonprofit", "government", "business", "institution", "house-of-worship", "grantmaker", "community"];
        assert_eq!(sectors, wanted);
        assert_eq!(Role::all().next().map(Word::typed).as_deref(), Some("backbone-staff"));
    }
}
