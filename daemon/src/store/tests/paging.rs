//! Paging through a gallery while others add to it and delete from it.

use fanlight_shared::rpc::assets::List;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Add,
    Delete(prop::sample::Index),
    Page,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Add),
        1 => any::<prop::sample::Index>().prop_map(Step::Delete),
        2 => Just(Step::Page),
    ]
}

fn add(at: &Fixture, run: &Run) -> AssetId {
    let mut new = asset(run, "sky", Value::Int(1));
    new.item = ItemPath::item(u32::from_le_bytes(new.id.as_bytes()[12..].try_into().unwrap()));
    at.commit(vec![Op::Asset(new_asset(&new).into())]);
    new.id
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_shown_twice_or_skipped(
        before in 0_usize..12,
        limit in 1_u32..4,
        steps in prop::collection::vec(step(), 0..30),
    ) {
        let at = Fixture::new();
        let run = at.ended();
        let old: Vec<AssetId> = (0..before).map(|_| add(&at, &run)).collect();
        let mut alive = old.clone();
        let mut shown: Vec<AssetId> = Vec::new();
        let mut list = List { limit: Some(limit), workflow_id: Some(run.workflow_id), ..List::default() };
        let mut began = false;
        let mut at_begin = old.clone();
        let mut ended = false;
        for step in steps.into_iter().chain(std::iter::repeat_n(Step::Page, 60)) {
            match step {
                Step::Add => alive.push(add(&at, &run)),
                Step::Delete(which) => if !alive.is_empty() {
                    let id = alive.remove(which.index(alive.len()));
                    at.commit(vec![Op::DeleteAssets(vec![id])]);
                },
                Step::Page if ended => {}
                Step::Page => {
                    if !began {
                        began = true;
                        at_begin.clone_from(&alive);
                    }
                    let page = at.store.assets(&list).unwrap();
                    shown.extend(page.rows.iter().map(|asset| asset.id));
                    ended = page.cursor.is_none();
                    list.cursor = page.cursor;
                }
            }
        }
        prop_assert!(ended);
        let mut falling = shown.clone();
        falling.sort_unstable_by(|a, b| b.cmp(a));
        falling.dedup();
        prop_assert_eq!(&shown, &falling, "newest first, none twice");
        for id in &at_begin {
            prop_assert!(shown.contains(id) || !alive.contains(id), "{} was skipped", id);
        }
        prop_assert!(shown.iter().all(|id| at_begin.contains(id)), "a newer one shifted a page");
    }
}
