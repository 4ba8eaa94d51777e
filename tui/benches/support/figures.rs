//! Selects the figures to measure: those named as arguments, or all.

use crate::table::Table;

/// The figures of one bench.
pub(crate) struct Figures {
    wanted: Vec<String>,
    table: Table,
}

impl Figures {
    /// Measures what is wanted, and prints the table.
    pub(crate) fn measure(all: impl AsyncFnOnce(&mut Self)) {
        let wanted = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut figures = Self { wanted, table: Table::default() };
        runtime.block_on(all(&mut figures));
        figures.table.print();
    }

    /// Returns the table for a figure, if that figure is measured.
    pub(crate) fn of(&mut self, name: &str) -> Option<&mut Table> {
        let wanted = self.wanted.is_empty() || self.wanted.iter().any(|it| it == name);
        wanted.then_some(&mut self.table)
    }
}
