//! Lists that were shortened for a message: their last item says how many more there are.

use super::Value;

/// Returns the last item of a list from which this many were left out.
pub(crate) fn note(more: usize) -> Value {
    Value::Text(format!("… {more} more"))
}

/// Returns the items of a list that are there, and how many it had before it was shortened.
#[must_use]
pub fn items(list: &[Value]) -> (&[Value], usize) {
    let more =
        |note: &Value| note.as_text()?.strip_prefix("… ")?.strip_suffix(" more")?.parse::<usize>().ok();
    match list.split_last() {
        Some((note, there)) if let Some(more) = more(note) => (there, there.len().saturating_add(more)),
        _ => (list, list.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_list_has_its_length() {
        let list = [Value::Int(1), note(39)];
        assert_eq!(items(&list), (&list[..1], 40));
    }

    #[test]
    fn a_list_that_was_not_shortened_has_the_items_that_are_there() {
        for text in ["more", "… more", "… x more", "… 3 more or less"] {
            let list = [Value::Int(1), Value::from(text)];
            assert_eq!(items(&list), (&list[..], 2));
        }
        assert_eq!(items(&[]), (&[][..], 0));
    }
}
