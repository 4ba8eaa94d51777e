use fanlight_shared::home::Home;
use fanlight_shared::types::Type;

use super::*;
use crate::store::Store;

struct Place {
    store: Store,
    _home: tempfile::TempDir,
}

fn place() -> Place {
    let home = tempfile::tempdir().unwrap();
    Place { store: Store::open(&Home::below(home.path()).unwrap()).unwrap(), _home: home }
}

fn handle(value: &Value, place: &Place) -> (Value, Published) {
    stored(value, place.store.blobs()).unwrap()
}

#[test]
fn a_long_value_becomes_a_handle_and_comes_back_whole() {
    let place = place();
    let blobs = place.store.blobs();
    let text = Value::from("grüße \"x\"\n".repeat(30_000));
    let list = Value::List((0..20_000).map(Value::Int).collect());
    let values = Values::from([
        ("text".to_owned(), text.clone()),
        ("list".to_owned(), list.clone()),
        ("short".to_owned(), Value::from("short")),
    ]);
    let (handles, published) = store(&values, LIMIT, blobs).unwrap();
    assert_eq!(published.len(), 2);
    assert_eq!(handles.get("short"), None);
    let large = handles["text"].as_large().unwrap();
    assert_eq!((&large.ty, large.bytes), (&Type::Text, 12 * 30_000));
    assert!(large.head.starts_with("grüße \"x\"\n"));
    assert_eq!(handles["list"].as_large().unwrap().ty, Type::Int.list());
    assert!(handles["list"].memory() < 1000);
    let content = Content::new(Some(Arc::new(Loader(blobs.clone()))));
    assert_eq!(content.resolve(handles["text"].clone()), Ok(text));
    assert_eq!(content.resolve(handles["list"].clone()), Ok(list));
}

#[test]
fn json_includes_the_content_of_large_values() {
    let place = place();
    let text = "ü".repeat(200_000);
    let (large, _open) = handle(&Value::from(text.clone()), &place);
    let nested = Value::from(vec![large, Value::Int(1)]);
    let mut out = Vec::new();
    write_json(&nested, place.store.blobs(), &mut out).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), serde_json::json!([text, 1]));
    let (whole, _open) = handle(&nested, &place);
    let whole = whole.as_large().unwrap();
    assert_eq!(place.store.blobs().read(whole.hash).unwrap(), out);
}

#[test]
fn a_truncated_value_is_never_read_as_a_complete_one() {
    let place = place();
    let (value, _open) = handle(&Value::from("x".repeat(100_000)), &place);
    let cut = Value::from(Large { cut: true, ..value.as_large().unwrap().clone() });
    let error = write_json(&cut, place.store.blobs(), &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("`path:`"), "{error}");
    let content = Content::new(Some(Arc::new(Loader(place.store.blobs().clone()))));
    assert!(content.resolve(cut).unwrap_err().contains("`path:`"));
}

#[test]
fn a_text_is_limited_by_the_bound_of_its_node_type() {
    let place = place();
    let (megabyte, _open) = handle(&Value::from("x".repeat(1 << 20)), &place);
    let mut output = TextOutput::stored(3 << 20, place.store.blobs());
    for _ in 0..3 {
        output.push_value(&megabyte).unwrap();
    }
    let error = output.push_value(&megabyte).unwrap_err().to_string();
    assert!(error.starts_with("it makes more than 3 MiB"), "{error}");
    let (text, published) = output.finish().unwrap();
    assert_eq!((text.as_large().unwrap().bytes, published.unwrap().bytes), (3 << 20, 3 << 20));
    assert!(text.as_large().unwrap().head.starts_with("xxx"));
}
