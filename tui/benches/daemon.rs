//! Benchmarks of the real daemon, as ratios measured side by side in one run: `cargo xtask bench`.
//!
//! Arguments select figures by name: `commands`, `nodes`, `start`, `idle`, `many`, `sweep`, `pages`,
//! `cached`, `fair`, `table`, `each`, `posters`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "daemon/cached.rs"]
mod cached;
#[path = "daemon/commands.rs"]
mod commands;
#[path = "daemon/each.rs"]
mod each;
#[path = "daemon/fair.rs"]
mod fair;
#[path = "support/figures.rs"]
mod figures;
#[path = "support/home.rs"]
mod home;
#[path = "daemon/lists.rs"]
mod lists;
#[path = "daemon/memory.rs"]
mod memory;
#[path = "daemon/nodes.rs"]
mod nodes;
#[path = "daemon/posters.rs"]
mod posters;
#[path = "support/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "daemon/start.rs"]
mod start;
#[path = "support/table.rs"]
mod table;

use figures::Figures;

fn main() {
    Figures::measure(async |figures| {
        if let Some(table) = figures.of("commands") {
            commands::measure(table).await;
        }
        if let Some(table) = figures.of("nodes") {
            nodes::measure(table).await;
        }
        if let Some(table) = figures.of("start") {
            start::measure(table).await;
        }
        if let Some(table) = figures.of("idle") {
            memory::idle(table).await;
            memory::after(table).await;
        }
        if let Some(table) = figures.of("many") {
            memory::many(table).await;
        }
        if let Some(table) = figures.of("sweep") {
            lists::sweep(table).await;
        }
        if let Some(table) = figures.of("pages") {
            lists::pages(table).await;
        }
        if let Some(table) = figures.of("cached") {
            cached::measure(table).await;
        }
        if let Some(table) = figures.of("fair") {
            fair::measure(table).await;
        }
        if let Some(table) = figures.of("table") {
            lists::table(table).await;
        }
        if let Some(table) = figures.of("each") {
            each::measure(table).await;
        }
        if let Some(table) = figures.of("posters") {
            posters::measure(table).await;
        }
    });
}
