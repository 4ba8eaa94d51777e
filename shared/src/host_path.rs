//! Paths of files on other computers: `laptop:/home/ada/poster.yaml`. A daemon takes such a path as a name, and never
//! opens it.

/// Returns the path of a file on a host as a daemon elsewhere knows it; `path` is absolute.
#[must_use]
pub fn on(host: &str, path: &str) -> String {
    format!("{host}:{path}")
}

/// Returns the host and the path there; `None` if it is a path on the daemon's own host.
#[must_use]
pub fn split(path: &str) -> Option<(&str, &str)> {
    let (host, path) = path.split_once(':')?;
    let is_host = !host.is_empty() && host.chars().all(is_letter);
    (is_host && path.starts_with('/')).then_some((host, path))
}

/// Returns a name as the host of such a path: other characters become `-`.
#[must_use]
pub fn host(name: &str) -> String {
    let host: String = name.chars().take(64).map(|it| if is_letter(it) { it } else { '-' }).collect();
    if host.is_empty() { "elsewhere".to_owned() } else { host }
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_on_another_host_is_told_from_a_path_here() {
        assert_eq!(split(&on("laptop", "/a/b:c.yaml")), Some(("laptop", "/a/b:c.yaml")));
        for here in ["/a/laptop:/b", "a.yaml", "laptop:a.yaml", ":/a", "a b:/c", "a/b:/c"] {
            assert_eq!(split(here), None, "{here}");
        }
        assert_eq!(host("Ada's Mac.local"), "Ada-s-Mac.local");
        assert_eq!(split(&on(&host("ä:/"), "/a")), Some(("---", "/a")));
        assert_eq!(host(""), "elsewhere");
    }
}
