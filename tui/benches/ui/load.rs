//! 1,000 events a second: a workflow of 200 nodes of which 40 are commands that report their progress, in the grid, with
//! products in the gallery.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fanlight_shared::rpc::runs::{Cancel, ParamSet};
use fanlight_shared::rpc::watch::{Notification, TelemetryOf, Watch};
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use crate::home::Daemon;
use crate::process::{mib, resident};
use crate::screen;
use crate::table::Table;

const NODES: usize = 200;
const TALKERS: usize = 40;
/// A little slower than the limit for a node's reports, so that none is dropped.
const EVERY: Duration = Duration::from_millis(38);
const TIMES: usize = 500;

/// Talker nodes forward progress from files and wait; chains of small nodes read the talkers.
fn workflow(folder: &std::path::Path) -> String {
    let mut text = "id: 01980000-0000-7000-8000-000000000012\nname: Loud\nparams:\n  talk: { type: int, default: 0 }\nnodes:\n  \
                    sky:\n    uses: image.generate\n    with: { width: 320, height: 200, seed: \"${{ run.number }}\" }\n"
        .to_owned();
    for talker in 0..TALKERS {
        let at = folder.join(format!("talker-{talker}"));
        let _ = write!(
            text,
            "  talker_{talker}:\n    run: |\n      [ \"$talk\" = 0 ] || {{ echo \"$FANLIGHT_EVENTS\" > {at}.new; mv {at}.new {at}; exec \
             sleep 600; }}\n    with: {{ talk: \"${{{{ params.talk }}}}\" }}\n",
            at = at.display()
        );
    }
    for small in 0..NODES - TALKERS - 1 {
        let of = if small < TALKERS {
            format!("talker_{small}.stdout")
        } else {
            format!("small_{}.text", small - TALKERS)
        };
        let _ = write!(
            text,
            "  small_{small}:\n    uses: text.template\n    with: {{ template: \"{{{{ of }}}}\", of: \"${{{{ {of} }}}}\" }}\n"
        );
    }
    text + "outputs:\n  sky: \"${{ sky.image }}\"\n"
}

fn talk(on: i64) -> ParamSet {
    ParamSet { params: IndexMap::from([("talk".to_owned(), Value::Int(on))]), ..ParamSet::default() }
}

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("[pools]\nprocess = 64\n").await;
    let document = workflow(&screen::folder(&daemon));
    screen::write(&daemon, &document);
    screen::submit(&daemon, &document, vec![talk(0); 6]).await;
    daemon.drained().await;
    let mut terminal = screen::open(&daemon);
    terminal.wait_for("Done 6");
    screen::keys(table, "200 nodes, nothing runs", "–", &mut terminal, TIMES, screen::pane);

    let run = screen::submit(&daemon, &document, vec![talk(1)]).await.remove(0);
    let stop = Arc::new(AtomicBool::new(false));
    let talkers = Talkers::listen(&screen::folder(&daemon));
    let talking = talkers.talk(&stop);
    let telemetry = vec![TelemetryOf { run_id: run.id, seq: None }];
    let mut told = daemon.client.notifications().unwrap();
    daemon.client.call(Watch { telemetry, ..Watch::default() }).await.unwrap();
    let (mut events, begun) = (0_u32, Instant::now());
    while let Ok(Some(told)) = tokio::time::timeout(Duration::from_secs(1), told.recv()).await {
        events += u32::from(matches!(told, Notification::Live { .. } | Notification::State { .. }));
        if begun.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    let rate = f64::from(events) / begun.elapsed().as_secs_f64();
    daemon.client.call(Watch::default()).await.unwrap();
    drop(told);
    table.row("events that arrive while it talks", format!("{rate:.0} a second"), "3 s".into(), "1,000");

    screen::rates(table, "talking", &terminal, "≤ 10 %", "≤ 60");
    let what = "talking, 200 nodes, gallery";
    screen::keys(table, what, "p99 ≤ 16 ms", &mut terminal, TIMES, screen::pane);
    // Zoomed in so far that the progress is visible.
    terminal.press(&["1", "+"]);
    terminal.wait_for(" %");
    screen::rates(table, "talking, seen as cards", &terminal, "≤ 10 %", "≤ 60");
    screen::keys(table, "talking, seen as cards", "p99 ≤ 16 ms", &mut terminal, TIMES, screen::pane);
    table.row("memory meanwhile", mib(resident(terminal.pid())), "once".into(), "–");
    stop.store(true, Ordering::Relaxed);
    talking.join().unwrap();
    let cancel = Cancel { runs: vec![run.id], ..Cancel::default() };
    daemon.client.call(cancel).await.unwrap();
    daemon.drained().await;
    drop(terminal);
    daemon.stop().await;
}

/// The files from which the commands read their reports.
struct Talkers(Vec<PathBuf>);

impl Talkers {
    fn listen(folder: &std::path::Path) -> Self {
        let begun = Instant::now();
        let read = |talker| loop {
            if let Ok(path) = std::fs::read_to_string(folder.join(format!("talker-{talker}"))) {
                return PathBuf::from(path.trim());
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "a command does not start");
            std::thread::sleep(Duration::from_millis(5));
        };
        Self((0..TALKERS).map(read).collect())
    }

    /// Reports progress for all of them in turn, until it is stopped.
    fn talk(&self, stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
        let open = |path: &PathBuf| std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        let files: Vec<std::fs::File> = self.0.iter().map(open).collect();
        let stop = Arc::clone(stop);
        std::thread::spawn(move || {
            let begun = Instant::now();
            for step in 0_u32.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                for mut file in &files {
                    let value = f64::from(step % 1_000) / 1_000.0;
                    let line =
                        format!("{{\"type\":\"progress\",\"value\":{value},\"message\":\"step {step}\"}}\n");
                    file.write_all(line.as_bytes()).unwrap();
                }
                std::thread::sleep((EVERY * (step + 1)).saturating_sub(begun.elapsed()));
            }
        })
    }
}
