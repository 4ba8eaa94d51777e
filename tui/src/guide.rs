//! The pages of the guide, compiled in.

/// A page of the guide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Its name, which is its file's without the ending.
    pub(crate) name: &'static str,
    /// Its text, in Markdown.
    pub(crate) text: &'static str,
}

impl Page {
    /// Returns its title: the first heading.
    pub(crate) fn title(self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }
}

macro_rules! pages {
    ($($name:literal)+) => {
        /// All pages, in the order in which they are read.
        pub(crate) const PAGES: &[Page] =
            &[$(Page { name: $name, text: include_str!(concat!("../../docs/", $name, ".md")) }),+];
    };
}

pages! {
    "ten-minutes" "workflow-file" "expressions" "code" "recipes" "people" "models" "agents" "media" "video" "config" "commands" "scripts" "node-types" "sweeps" "search" "cache" "products" "plugins" "isolation" "engines" "secrets" "events" "metrics" "remote"
    "how-it-works" "protocol" "performance"
}

#[cfg(test)]
mod tests {
    use super::PAGES;

    #[test]
    fn the_executable_has_all_pages_of_the_summary_in_its_order() {
        let summary = include_str!("../../docs/SUMMARY.md");
        let listed: Vec<&str> =
            summary.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(".md)")).collect();
        assert_eq!(listed, PAGES.iter().map(|page| page.name).collect::<Vec<_>>());
        assert!(PAGES.iter().all(|page| page.text.starts_with("# ") && !page.title().is_empty()));
    }
}
