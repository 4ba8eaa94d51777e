//! Results that are reused: found only if everything that they refer to is there.

use fanlight_shared::origin::Origin;
use fanlight_shared::rpc::cache::List;

use super::*;

const LIMIT: u64 = 1 << 20;

fn key(name: &str) -> CacheKey {
    CacheKey::of([("name", name.as_bytes())])
}

fn entry(run: &Run, node: &str, bytes: u64, limit: u64) -> Op {
    let origin = Origin { run_id: run.id, run: run.name(), node: node.into(), item: ItemPath::WHOLE };
    Op::CacheEntry(Box::new(NewEntry {
        key: key(node),
        node_type: "image.generate".into(),
        origin,
        ports: vec!["image".into()],
        parts: PartsDigest::default(),
        damaged: None,
        bytes,
        limit,
    }))
}

/// Returns a run whose nodes made pictures that are kept for later nodes.
fn made(at: &Fixture, pictures: &[(&str, Vec<u8>)]) -> (Run, Vec<Asset>) {
    let run = at.submit(1).remove(0);
    let mut assets = Vec::new();
    for (node, bytes) in pictures {
        assets.push(at.product(&run, node, bytes));
        at.commit(vec![entry(&run, node, bytes.len() as u64, LIMIT)]);
    }
    at.end(&run);
    (run, assets)
}

fn found(at: &Fixture, node: &str) -> Option<Cached> {
    match at.store.cached(key(node)).unwrap() {
        Lookup::Found(found) => Some(*found),
        Lookup::Damaged(_) | Lookup::Nothing => None,
    }
}

fn sound(at: &Fixture) {
    assert_eq!(crate::doctor::check(&at.store, true).problems, [""; 0]);
}

#[test]
fn a_result_is_found_with_its_values_and_its_origin() {
    let mut at = Fixture::new();
    let (run, assets) = made(&at, &[("small", b"picture".to_vec()), ("large", large(1))]);
    at.reopen();
    for (node, asset) in ["small", "large"].iter().zip(&assets) {
        let cached = found(&at, node).unwrap();
        assert_eq!(cached.values["image"], asset.value);
        assert_eq!((cached.origin.run_id, cached.origin.run.as_str()), (run.id, "poster#1"));
    }
    assert!(found(&at, "other").is_none());
    sound(&at);
}

#[test]
fn a_result_whose_bytes_are_gone_or_damaged_is_not_found() {
    let at = Fixture::new();
    let hashes =
        |assets: &[Asset]| assets.iter().map(|it| it.value.as_media().unwrap().hash).collect::<Vec<_>>();
    let (_, assets) =
        made(&at, &[("gone", large(1)), ("short", large(2)), ("other", large(3)), ("sound", large(4))]);
    let path = |number: usize| at.store.blobs().path(hashes(&assets)[number]);
    std::fs::remove_file(path(0)).unwrap();
    std::fs::write(path(1), b"short").unwrap();
    std::fs::write(path(2), large(9)).unwrap();
    let there: Vec<_> = ["gone", "short", "other", "sound"].map(|node| found(&at, node).is_some()).into();
    assert_eq!(there, [false, false, false, true]);

    made(&at, &[("inline", b"picture".to_vec()), ("json", b"picture 2".to_vec())]);
    at.tamper("UPDATE blob SET inline = CAST('pictura' AS BLOB) WHERE inline = CAST('picture' AS BLOB)");
    at.tamper("UPDATE cache_value SET body = '{' WHERE entry = (SELECT max(entry) FROM cache)");
    assert!(found(&at, "inline").is_none() && found(&at, "json").is_none());
    // Computed again, they are whole.
    made(&at, &[("inline", b"picture".to_vec()), ("other", large(3))]);
    assert!(found(&at, "inline").is_some() && found(&at, "other").is_some());
}

#[test]
fn a_result_outlasts_its_run_until_its_asset_is_deleted() {
    let at = Fixture::new();
    let (run, assets) = made(&at, &[("sky", large(1))]);
    at.commit(vec![Op::DeleteRun { run: run.id, assets: false }]);
    assert!(found(&at, "sky").is_some());
    at.commit(vec![Op::DeleteAssets(vec![assets[0].id])]);
    assert!(found(&at, "sky").is_none());
    let file = at.store.blobs().path(assets[0].value.as_media().unwrap().hash);
    wait_for("the bytes are gone", || !file.exists());
    sound(&at);
}

#[test]
fn bytes_that_were_found_stay_until_they_are_used() {
    let at = Fixture::new();
    let (run, assets) = made(&at, &[("sky", large(1)), ("small", b"picture".to_vec())]);
    let (sky, small) = (found(&at, "sky").unwrap(), found(&at, "small").unwrap());
    at.commit(vec![Op::DeleteRun { run: run.id, assets: true }]);
    assert!(found(&at, "sky").is_none());
    let other = at.submit(1).remove(0);
    for cached in [sky, small] {
        let mut ops: Vec<Op> = cached.blobs.into_iter().map(Op::Blob).collect();
        ops.push(values(other.id, "sky", "image", cached.values["image"].clone()));
        at.commit(ops);
        let hash = cached.values["image"].as_media().unwrap().hash;
        assert!(at.store.blobs().read(hash).is_ok());
    }
    assert_eq!(assets.len(), 2);
    sound(&at);
}

#[test]
fn a_result_that_is_larger_than_the_limit_is_not_kept_and_drops_no_others() {
    let at = Fixture::new();
    let (run, _) = made(&at, &[("sky", b"picture".to_vec())]);
    at.commit(vec![entry(&run, "sky2", 5000, 4000)]);
    assert!(found(&at, "sky").is_some() && found(&at, "sky2").is_none());
    at.commit(vec![entry(&run, "sky3", 3000, 4000), entry(&run, "sky4", 3000, 4000)]);
    let kept: Vec<_> = ["sky", "sky3", "sky4"].map(|node| found(&at, node).is_some()).into();
    assert_eq!(kept, [false, false, true], "those used longest ago go first");
    sound(&at);
}

#[test]
fn pages_of_results_begin_with_the_most_recently_used() {
    let at = Fixture::new();
    let (_, _) = made(&at, &[("a", b"1".to_vec()), ("b", b"2".to_vec()), ("c", b"3".to_vec())]);
    at.commit(vec![Op::CacheUsed { key: key("a"), at: Time::now() }]);
    let (mut cursor, mut nodes) = (None, Vec::new());
    loop {
        let page = at.store.cache_entries(&List { cursor, limit: Some(2) }).unwrap();
        nodes.extend(page.rows.iter().map(|entry| (entry.origin.node.clone(), entry.uses)));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(nodes, [("a".into(), 1), ("c".into(), 0), ("b".into(), 0)]);
    let stats = at.store.cache_stats().unwrap();
    assert_eq!((stats.entries, stats.uses), (3, 1));
    at.commit(vec![Op::CacheLimit(stats.bytes - 1)]);
    assert!(found(&at, "b").is_none() && found(&at, "a").is_some());
    assert_eq!(at.commit(vec![Op::CacheRemoveOldest(5)]).removed_entries, 2);
    sound(&at);
}
