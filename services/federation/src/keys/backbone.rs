//! Which keys a backbone had at which position of the members space.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chassis::names::Reference;
use proto::federation::Seal;
use sqlx::PgConnection;

use crate::store::key_changes;
use crate::store::nodes::Initiative;
use crate::store::order::Order;
use crate::store::unsigned;
use crate::wire::{self, Head, WireError};

/// The keys of an initiative's backbone, and from where on each is its current one.
pub struct BackboneKeys {
    /// All that are known, first to last.
    known: Vec<Head>,
    /// The one that sealed the first step of the members space.
    first: Option<Head>,
    /// What the order told: from a position on, these.
    changes: Vec<(u64, Vec<Head>)>,
}

impl BackboneKeys {
    /// As far as they are known here by now.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn read(connection: &mut PgConnection, initiative: &Initiative) -> Result<Self, sqlx::Error> {
        let rows = key_changes::of_initiative(connection, &initiative.initiative).await?;
        let known = rows.first().map_or_else(|| initiative.backbone_keys.clone(), |row| row.known());
        let first = rows.first().and_then(|row| wire::head(row.first_seal.as_ref()?));
        let changes = rows.iter().filter_map(|row| Some((unsigned(row.changed_position?), row.changed()?)));
        Ok(Self { known, first, changes: changes.collect() })
    }

    /// Its keys, first to current, for what is judged by a position; `None` where nothing tells how many it had.
    fn at(&self, position: u64) -> Option<&[Head]> {
        if let Some((_, keys)) = self.changes.iter().rev().find(|(from, _)| *from <= position) {
            return Some(keys);
        }
        // Somebody introduced to it later knows keys that it had not made yet.
        match self.first.and_then(|first| self.known.iter().position(|key| *key == first)) {
            Some(number) => self.known.get(..=number),
            None if self.known.len() == 1 => Some(&self.known),
            None => None,
        }
    }

    /// Its keys, first to current, for what is judged by a position.
    pub fn current(&self, position: u64) -> &[Head] {
        self.at(position).unwrap_or(&self.known)
    }

    /// Checks a seal of the backbone over a head that is judged by a position.
    ///
    /// # Errors
    /// Where it was not made with the key that the backbone had there.
    pub fn check(&self, initiative: &Initiative, seal: &Seal, head: &Head, position: u64) -> Result<(), WireError> {
        match self.at(position) {
            Some(keys) => wire::check_current(seal, head, &initiative.backbone, keys),
            None => wire::check_seal(seal, head, &initiative.backbone, &self.known),
        }
    }
}

type Kept = BTreeMap<Reference, (Head, Arc<BackboneKeys>)>;

/// The keys of backbones, kept in memory under the digest of the step that changed last what nodes are judged by.
#[derive(Clone, Default)]
pub struct KeptKeys(Arc<Mutex<Kept>>);

impl KeptKeys {
    /// The keys of an initiative's backbone, where the members space stands so now.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn at(
        &self,
        connection: &mut PgConnection,
        initiative: &Initiative,
        members: &Order,
    ) -> Result<Arc<BackboneKeys>, sqlx::Error> {
        let (_, changed) = members.changed;
        if let Some((under, keys)) = self.with(|kept| kept.get(&initiative.initiative).cloned())
            && under == changed
        {
            return Ok(keys);
        }
        let keys = Arc::new(BackboneKeys::read(connection, initiative).await?);
        // Without a first step there is more to come than a change tells.
        if keys.first.is_some() {
            self.with(|kept| kept.insert(initiative.initiative.clone(), (changed, keys.clone())));
        }
        Ok(keys)
    }

    fn with<T>(&self, action: impl FnOnce(&mut Kept) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Head = [1; 32];
    const TWO: Head = [2; 32];
    const THREE: Head = [3; 32];

    #[test]
    fn a_key_counts_from_the_position_at_which_it_was_told() {
        let changes = vec![(4, vec![ONE, TWO]), (9, vec![ONE, TWO, THREE])];
        let keys = BackboneKeys { known: vec![ONE, TWO, THREE], first: Some(ONE), changes };
        for (position, newest) in [(0, ONE), (3, ONE), (4, TWO), (8, TWO), (9, THREE), (99, THREE)] {
            assert_eq!(keys.current(position).last(), Some(&newest), "{position}");
        }
    }

    #[test]
    fn a_backbone_may_have_had_several_before_its_initiative_began() {
        let known = vec![ONE, TWO, THREE];
        let begun = BackboneKeys { known: known.clone(), first: Some(TWO), changes: Vec::new() };
        assert_eq!(begun.current(0), [ONE, TWO]);
        let empty = BackboneKeys { known, first: None, changes: Vec::new() };
        assert!(empty.at(0).is_none());
        assert_eq!(empty.current(0).last(), Some(&THREE));
    }
}
