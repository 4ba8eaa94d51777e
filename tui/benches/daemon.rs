//! What the real daemon costs, as ratios taken side by side in one run: `cargo xtask bench`.
//!
//! Names of figures as arguments pick some of them: `commands`, `nodes`, `start`, `idle`, `many`, `sweep`, `pages`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "daemon/commands.rs"]
mod commands;
#[path = "daemon/home.rs"]
mod home;
#[path = "daemon/lists.rs"]
mod lists;
#[path = "daemon/memory.rs"]
mod memory;
#[path = "daemon/nodes.rs"]
mod nodes;
#[path = "daemon/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "daemon/start.rs"]
mod start;
#[path = "daemon/table.rs"]
mod table;

use table::Table;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut table = Table::default();
    runtime.block_on(async {
        let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|it| it == name);
        if wants("commands") {
            commands::measure(&mut table).await;
        }
        if wants("nodes") {
            nodes::measure(&mut table).await;
        }
        if wants("start") {
            start::measure(&mut table).await;
        }
        if wants("idle") {
            memory::idle(&mut table).await;
            memory::after(&mut table).await;
        }
        if wants("many") {
            memory::many(&mut table).await;
        }
        if wants("sweep") {
            lists::sweep(&mut table).await;
        }
        if wants("pages") {
            lists::pages(&mut table).await;
        }
    });
    table.print();
}
