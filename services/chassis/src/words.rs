//! Enumerations of a room's own words. The domain knows no protobuf, so it has its own; numbers are the contract's.

/// A number that none of an enumeration's words has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not one of the values this version knows")]
pub struct UnknownWord(pub i32);

/// Declares an enumeration with the contract's numbers: `ALL` its words, `number()` to the contract, `TryFrom<i32>`
/// from it. Zero, which the contract keeps for "unspecified", is no word.
#[macro_export]
macro_rules! words {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$meaning:meta])* $word:ident = $number:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$meaning])* $word = $number,)+
        }

        impl $name {
            /// All of them, in the contract's order.
            pub const ALL: &[Self] = &[$(Self::$word),+];

            /// Its number in the contract.
            pub const fn number(self) -> i32 {
                match self {
                    $(Self::$word => $number,)+
                }
            }
        }

        impl TryFrom<i32> for $name {
            type Error = $crate::words::UnknownWord;

            fn try_from(number: i32) -> Result<Self, Self::Error> {
                match number {
                    $($number => Ok(Self::$word),)+
                    other => Err($crate::words::UnknownWord(other)),
                }
            }
        }
    };
}
