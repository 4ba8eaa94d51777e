//! Benchmarks of the terminal UI, in a real terminal with a real daemon: `cargo xtask bench ui`.
//!
//! Arguments select figures by name: `first`, `keys`, `load`, `rows`, `sweep`, `pictures`, `wide`, `curves`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ui/curves.rs"]
mod curves;
#[path = "support/figures.rs"]
mod figures;
#[path = "ui/first.rs"]
mod first;
#[path = "support/home.rs"]
#[allow(dead_code)]
mod home;
#[path = "ui/keys.rs"]
mod keys;
#[path = "ui/load.rs"]
mod load;
#[path = "ui/pictures.rs"]
mod pictures;
#[path = "support/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "ui/rows.rs"]
mod rows;
#[path = "ui/screen.rs"]
mod screen;
#[path = "ui/sweep.rs"]
mod sweep;
#[path = "support/table.rs"]
#[allow(dead_code)]
mod table;
#[path = "../tests/support/terminal.rs"]
mod terminal;
#[path = "ui/wide.rs"]
mod wide;

use figures::Figures;

fn main() {
    Figures::measure(async |figures| {
        if let Some(table) = figures.of("first") {
            first::measure(table);
        }
        if let Some(table) = figures.of("keys") {
            keys::measure(table).await;
        }
        if let Some(table) = figures.of("load") {
            load::measure(table).await;
        }
        if let Some(table) = figures.of("rows") {
            rows::measure(table).await;
        }
        if let Some(table) = figures.of("sweep") {
            sweep::measure(table).await;
        }
        if let Some(table) = figures.of("pictures") {
            pictures::measure(table).await;
        }
        if let Some(table) = figures.of("wide") {
            wide::measure(table).await;
        }
        if let Some(table) = figures.of("curves") {
            curves::measure(table).await;
        }
    });
}
