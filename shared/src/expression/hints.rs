//! Hints for operators, functions and words from other languages.

/// A piece of an expression that belongs to another language.
pub(super) struct Foreign {
    /// Its byte offset in the expression.
    pub(super) at: usize,
    /// Its length in bytes.
    pub(super) len: usize,
    /// What is wrong.
    pub(super) message: String,
    /// The operations.
    pub(super) hint: String,
}

/// Returns the first operator of another language outside quotes.
pub(super) fn foreign_operator(source: &str) -> Option<Foreign> {
    const WORDS: [(&str, &str); 9] = [
        ("&&", "write `and`"),
        ("||", "write `or`"),
        ("===", "write `==`"),
        ("!==", "write `!=`"),
        ("!", "write `not`"),
        ("?.", "write `.`; absent values pass through by themselves"),
        ("??", "write `first(a.x, b.x)`, or the filter `default`"),
        ("?", "write `a if condition else b`"),
        ("..", "a range is `range(1, 7)`, which ends before its second number"),
    ];
    let mut quote = None;
    let mut skip_to = 0;
    for (at, character) in source.char_indices() {
        if at < skip_to {
            continue;
        }
        match (quote, character) {
            (Some(open), it) if it == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, _) => {
                let rest = &source[at..];
                if rest.starts_with("!=") && !rest.starts_with("!==") {
                    skip_to = at + 2;
                    continue;
                }
                if let Some((word, hint)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
                    let message = format!("`{word}` is not an operator here");
                    return Some(Foreign { at, len: word.len(), message, hint: (*hint).to_owned() });
                }
            }
        }
    }
    None
}

/// Returns the filter that does what a method of another language does.
pub(super) fn method(name: &str) -> Option<&'static str> {
    Some(match name {
        "upper" | "toUpperCase" => "upper",
        "lower" | "toLowerCase" => "lower",
        "trim" | "strip" => "trim",
        "split" => "split(\",\")",
        "join" => "join(\",\")",
        "replace" => "replace(\"old\", \"new\")",
        "len" | "length" | "count" | "size" => "length",
        "toString" | "to_string" => "string",
        "items" | "entries" => "items",
        "map" => "map(attribute=\"field\")",
        "sort" | "sorted" => "sort",
        _ => return None,
    })
}

/// Returns the replacement for a function of another language.
pub(super) fn function(name: &str) -> Option<String> {
    let filter = match name {
        "len" | "length" | "size" | "count" => "length",
        "max" => "max",
        "min" => "min",
        "sum" => "sum",
        "sorted" | "sort" => "sort",
        "str" | "string" => "string",
        "int" => "int",
        "float" => "float",
        "round" => "round",
        "join" => "join(\",\")",
        "toJSON" | "tojson" | "json" => "tojson",
        "format" => "format(…)",
        "upper" => "upper",
        "lower" => "lower",
        "fromJSON" => {
            return Some("a value keeps its type here; for a command declare `json:` in `outputs`".into());
        }
        "contains" => return Some("write `\"part\" in text`".into()),
        "startsWith" => return Some("write `text is startingwith(\"part\")`".into()),
        "endsWith" => return Some("write `text is endingwith(\"part\")`".into()),
        "hashFiles" | "secret" | "env" => return None,
        "cancelled" => {
            return Some(
                "a cancelled run starts nothing more; use `success()`, `failure()`, `always()`".into(),
            );
        }
        _ => return None,
    };
    Some(format!("it is a filter: `value|{filter}`"))
}

/// Returns the replacement for a bare word in an expression that looks like something else.
pub(super) fn bare_word(word: &str) -> Option<String> {
    Some(match word {
        "True" => "write `true`".into(),
        "False" => "write `false`".into(),
        "null" | "None" | "nil" | "undefined" => "write `none`".into(),
        "yes" | "on" => "write `true`".into(),
        "no" | "off" => "write `false`".into(),
        _ => return None,
    })
}
