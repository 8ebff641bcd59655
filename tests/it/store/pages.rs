//! Pages: however a list is walked, every row comes exactly once and in order.

use gatehouse::store::organization::Organization;
use gatehouse::store::{Page, PageRequest, Position, SortKey, organization};
use uuid::Uuid;

use super::seed;
use crate::support::database::{TestDatabase, for_each_database};

fn place(organization: &Organization) -> Position {
    Position { key: SortKey::Text(organization.name.clone()), id: organization.id }
}

async fn read(db: &TestDatabase, user: Uuid, request: PageRequest) -> Page<Organization> {
    organization::list_of_user(&db.store.read(), user, &request).await.unwrap()
}

#[tokio::test]
async fn a_walk_forward_or_backward_meets_every_row_once() {
    for_each_database(async |db| {
        let alice = seed::user(db, "alice").await;
        for (slug, name) in
            [("a", "same"), ("b", "Same"), ("c", "same"), ("d", "last"), ("e", "same"), ("f", ""), ("g", "zoo")]
        {
            let organization = seed::organization(db, slug, None).await;
            db.run("UPDATE organization SET name = $2 WHERE id = $1", [organization.into(), name.into()])
                .await
                .unwrap();
            seed::member(db, organization, "alice", Some(alice)).await;
        }
        seed::organization(db, "elsewhere", None).await;
        let whole = read(db, alice, PageRequest { total: true, ..PageRequest::default() }).await;
        assert_eq!((whole.total, whole.items.len()), (Some(7), 7));
        assert!(!whole.has_next && !whole.has_previous);

        for size in 1..=8 {
            let (mut forward, mut after) = (Vec::new(), None);
            loop {
                let page = read(db, alice, PageRequest { after, ..PageRequest::first(size) }).await;
                assert_eq!(page.has_previous, !forward.is_empty());
                forward.extend(page.items);
                if !page.has_next {
                    break;
                }
                after = forward.last().map(place);
            }
            assert_eq!(forward, whole.items, "forward by {size}");

            let (mut backward, mut before): (Vec<Organization>, _) = (Vec::new(), None);
            loop {
                let page = read(db, alice, PageRequest { before, ..PageRequest::last(size) }).await;
                assert_eq!(page.has_next, !backward.is_empty());
                backward.splice(0..0, page.items);
                if !page.has_previous {
                    break;
                }
                before = backward.first().map(place);
            }
            assert_eq!(backward, whole.items, "backward by {size}");
        }

        let between = PageRequest {
            after: Some(place(&whole.items[1])),
            before: Some(place(&whole.items[5])),
            total: true,
            ..PageRequest::default()
        };
        let between = read(db, alice, between).await;
        assert_eq!(between.items, whole.items[2..5]);
        assert_eq!(between.total, Some(7), "the total is the whole list's");
    })
    .await;
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    for_each_database(async |db| {
        let after = Some(Position { key: SortKey::Id, id: Uuid::nil() });
        let request = PageRequest { after, ..PageRequest::default() };
        organization::list_of_user(&db.store.read(), Uuid::nil(), &request).await.unwrap_err();
    })
    .await;
}
