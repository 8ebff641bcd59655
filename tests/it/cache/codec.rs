//! The bytes of entries, under every change of a byte.

use chrono::DateTime;
use gatehouse::cache::{EntryCodec, GrantKey, Stamp, StampKind, StampVector, entry::Entry};
use proptest::prelude::*;
use uuid::Uuid;

fn id() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn key() -> impl Strategy<Value = GrantKey> {
    let member =
        |organization: Option<Uuid>| organization.map_or(Just(None).boxed(), |_| proptest::option::of(id()).boxed());
    prop_oneof![
        (id(), id(), proptest::option::of(id())).prop_flat_map(move |(session, user, organization)| {
            member(organization).prop_map(move |member| GrantKey::Session { session, user, organization, member })
        }),
        (id(), id()).prop_map(|(token, organization)| GrantKey::ApiToken { token, organization }),
        (id(), id()).prop_map(|(principal, organization)| GrantKey::Principal { principal, organization }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let stamp = (0..StampKind::ALL.len(), id(), any::<i64>())
        .prop_map(|(kind, id, version)| Stamp::new(StampKind::ALL[kind], id, version));
    let vector = proptest::collection::vec(stamp, 0..6).prop_map(StampVector::new);
    let time = (0..4_000_000_000_000_000_i64).prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap());
    let secret = proptest::option::of(any::<[u8; 32]>());
    (key(), secret, vector, time, proptest::collection::vec(any::<u8>(), 0..200)).prop_map(
        |(key, secret_hash, vector, valid_until, payload)| Entry { key, secret_hash, vector, valid_until, payload },
    )
}

proptest! {
    #[test]
    fn an_entry_comes_back_as_it_was(entry in entry()) {
        let codec = EntryCodec::new(&[3; 32]);
        prop_assert_eq!(codec.decode(&codec.encode(&entry).unwrap()), Ok(entry));
    }

    #[test]
    fn no_other_bytes_are_an_entry(entry in entry(), at in any::<prop::sample::Index>(), flip in 1..=255_u8, cut in any::<prop::sample::Index>(), more in 0..=255_u8) {
        let codec = EntryCodec::new(&[3; 32]);
        let good = codec.encode(&entry).unwrap();
        let mut changed = good.clone();
        changed[at.index(good.len())] ^= flip;
        prop_assert!(codec.decode(&changed).is_err());
        prop_assert!(codec.decode(&good[..cut.index(good.len())]).is_err());
        prop_assert!(codec.decode(&[good.as_slice(), &[more]].concat()).is_err());
    }

    #[test]
    fn any_bytes_are_decoded_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(EntryCodec::new(&[3; 32]).decode(&bytes).is_err());
    }
}
