use fanlight_shared::event::DaemonEvent;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Parent;
use proptest::prelude::*;

use super::*;
use crate::ui::model::queue::numbers::Numbers;
use crate::ui::model::queue::sweeps::MAX_LOOSE;
use crate::ui::testing;

const STATES: [RunStatus; 5] =
    [RunStatus::Queued, RunStatus::Running, RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled];

#[derive(Clone, Debug)]
enum Act {
    /// Of a run, by its number; with its place in the queue.
    Update(u32, usize, Option<u32>),
    Delete(u32),
    Fold(u32, bool),
    Open(u32, bool),
    Filter(&'static str),
}

fn act() -> impl Strategy<Value = Act> {
    let number = || 1..60_u32;
    prop_oneof![
        12 => (number(), 0..STATES.len(), proptest::option::of(1..3_u32)).prop_map(|(number, state, place)| Act::Update(number, state, place)),
        1 => number().prop_map(Act::Delete),
        2 => (0..2_u32, any::<bool>()).prop_map(|(sweep, folded)| Act::Fold(sweep, folded)),
        2 => (number(), any::<bool>()).prop_map(|(number, open)| Act::Open(number, open)),
        1 => prop_oneof![Just(""), Just("seed=1"), Just("failed")].prop_map(Act::Filter),
    ]
}

/// Returns a run: every fourth is single, the others are of two sweeps; nodes of the first twenty started the last ones.
fn run(number: u32, state: RunStatus, position: Option<u32>) -> Run {
    let sweep = (!number.is_multiple_of(4)).then(|| format!("poster/{}", number % 2));
    let parent = (number > 40).then(|| {
        let of = number - 40;
        let (run, name) = (testing::run_id(of), format!("poster#{of}"));
        Box::new(Parent { run, name, node: "sky".to_owned(), item: ItemPath::WHOLE })
    });
    let sweep = sweep.filter(|_| parent.is_none());
    Run { position, sweep, parent, ..testing::run(number, state) }
}

#[derive(Default)]
struct World {
    projection: Projection,
    numbers: Numbers,
    sections: Sections,
}

impl World {
    fn event(&mut self, event: DaemonEvent) {
        self.projection.apply(&mut Notification::Daemon { seq: 1, event });
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Update(number, state, position) => {
                let run = run(number, STATES[state], position);
                self.event(DaemonEvent::RunUpdate { run: Box::new(run) });
                self.sections.place(testing::run_id(number), &self.projection, &self.numbers);
            }
            Act::Delete(number) => {
                let (workflow_id, run_id) = (testing::workflow_id(), testing::run_id(number));
                self.event(DaemonEvent::RunDelete { workflow_id, run_id });
                self.sections.place(run_id, &self.projection, &self.numbers);
            }
            Act::Fold(sweep, folded) => {
                self.sections.sweeps.fold(sweep, folded);
                self.sections.rebuild(&self.projection, &self.numbers, None);
            }
            Act::Open(number, open) => {
                self.sections.open(testing::run_id(number), open, &self.projection, &self.numbers);
            }
            Act::Filter(typed) => {
                self.sections.filter = Filter::read(typed);
                self.sections.rebuild(&self.projection, &self.numbers, None);
            }
        }
    }

    fn rows(&self) -> Vec<Vec<Row>> {
        let sections = &self.sections;
        let of = |section: Section| {
            let rows = (0..sections.len(section)).map(|at| sections.at(section, at).expect("a row"));
            rows.collect()
        };
        Section::ALL.into_iter().map(of).collect()
    }

    /// Checks that each known run is found at its own row, or at that in which it is folded.
    fn check(&self) {
        let rows = self.rows();
        for run in self.projection.runs() {
            let found = self.sections.find(run.id, &self.projection);
            if !self.sections.filter.shows(run) {
                assert_eq!(found, None, "{}", run.name());
                continue;
            }
            let Some((section, at)) = found else { panic!("{} has no row", run.name()) };
            match rows[section as usize][at] {
                Row::Run(it) if it == run.id => {
                    assert!(self.sections.depth(it) > 0 || section == Section::of(run.state));
                }
                Row::Run(parent) => {
                    let mut up = run;
                    while up.id != parent {
                        let above = up.parent.as_ref().expect("a parent").run;
                        up = self.projection.run(above).expect("a known parent");
                    }
                }
                Row::Sweep(sweep) => {
                    let mut up = run;
                    while let Some(parent) = &up.parent {
                        up = self.projection.run(parent.run).expect("a known parent");
                    }
                    assert_eq!(self.sections.sweeps.of(up), Some(sweep), "{}", run.name());
                }
                Row::Heading(_) => panic!("a heading"),
            }
        }
        let all: Vec<Row> = rows.into_iter().flatten().collect();
        for (at, row) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(row), "{row:?} is there twice");
        }
    }
}

proptest! {
    #[test]
    fn placing_one_run_gives_the_same_rows_as_placing_all(acts in proptest::collection::vec(act(), 1..120)) {
        let mut world = World::default();
        for act in acts {
            world.act(act);
            world.check();
            let (rows, counts) = (world.rows(), world.sections.counts());
            world.sections.rebuild(&world.projection, &world.numbers, None);
            prop_assert_eq!(&rows, &world.rows());
            prop_assert_eq!(counts, world.sections.counts());
        }
    }
}

#[test]
fn a_sweep_becomes_one_row_when_it_has_many_runs() {
    let mut world = World::default();
    let most = u32::try_from(MAX_LOOSE).unwrap();
    for number in 1..=most + 1 {
        let run = Run { sweep: Some("scan".to_owned()), ..testing::run(number, RunStatus::Running) };
        world.event(DaemonEvent::RunUpdate { run: Box::new(run) });
        world.sections.place(testing::run_id(number), &world.projection, &world.numbers);
        let rows = world.rows()[Section::Running as usize].len();
        assert_eq!(rows, if number > most { 1 } else { number as usize });
    }
    assert_eq!(world.sections.counts().running, most + 1);
}
