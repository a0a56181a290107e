//! A large map that changes a little at a time: a shared base and a small overlay.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// A map whose copies share their base; a copy costs only the overlay.
///
/// A change goes to the overlay; [`merge`](Self::merge) makes overlay and base one again.
#[derive(Clone, Debug)]
pub struct Layered<K, V> {
    base: Arc<HashMap<K, V>>,
    overlay: HashMap<K, Option<V>>,
}

impl<K, V> Default for Layered<K, V> {
    fn default() -> Self {
        Self { base: Arc::new(HashMap::new()), overlay: HashMap::new() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Layered<K, V> {
    /// The value of `key`.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        match self.overlay.get(key) {
            Some(changed) => changed.as_ref(),
            None => self.base.get(key),
        }
    }

    /// Puts a value into the overlay.
    pub fn insert(&mut self, key: K, value: V) {
        self.overlay.insert(key, Some(value));
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &K) {
        if self.base.contains_key(key) {
            self.overlay.insert(key.clone(), None);
        } else {
            self.overlay.remove(key);
        }
    }

    /// How many changes lie over the base.
    pub fn overlay_len(&self) -> usize {
        self.overlay.len()
    }

    /// Makes base and overlay one; afterwards a copy is cheap again.
    pub fn merge(&mut self) {
        let overlay = std::mem::take(&mut self.overlay);
        let base = Arc::make_mut(&mut self.base);
        for (key, change) in overlay {
            match change {
                Some(value) => base.insert(key, value),
                None => base.remove(&key),
            };
        }
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let unchanged = self.base.iter().filter(|(key, _)| !self.overlay.contains_key(*key));
        unchanged
            .chain(self.overlay.iter().filter_map(|(key, change)| change.as_ref().map(|value| (key, value))))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> FromIterator<(K, V)> for Layered<K, V> {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(entries: T) -> Self {
        Self { base: Arc::new(entries.into_iter().collect()), overlay: HashMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_it_was_when_another_changes() {
        let before: Layered<&str, i32> = [("a", 1), ("b", 2)].into_iter().collect();
        let mut after = before.clone();
        after.insert("c", 3);
        after.insert("a", 9);
        after.remove(&"b");
        for _ in 0..2 {
            assert_eq!((after.get("a"), after.get("b"), after.get("c")), (Some(&9), None, Some(&3)));
            assert_eq!((before.get("a"), before.get("b"), before.get("c")), (Some(&1), Some(&2), None));
            assert_eq!(after.len(), 2);
            after.merge();
        }
        assert_eq!(after.overlay_len(), 0);
    }
}
