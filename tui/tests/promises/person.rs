//! A user of the UI: presses keys, and looks at the screen after every message.

use std::time::Duration;

use fanlight::ui::app::session::Session;
use fanlight::ui::document::{Purpose, Request, Source};
use fanlight::ui::effect::Effect;
use fanlight::ui::gallery::tiles;
use fanlight::ui::keymap::Key;
use fanlight::ui::message::Message;
use fanlight::ui::model::{Model, Options};
use fanlight::ui::theme::Theme;
use fanlight::ui::{areas::Areas, view};
use fanlight_shared::home::Home;
use fanlight_shared::id::RunId;
use fanlight_shared::testing::TIMEOUT;
use fanlight_shared::time::Time;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::time::Instant;

const SIZE: (u16, u16) = (180, 50);

/// A callback for every frame.
type Look = Box<dyn FnMut(&Model) + Send>;

pub(crate) struct Person {
    session: Session,
    terminal: Terminal<TestBackend>,
    /// The callback for every frame.
    watch: Option<Look>,
    /// When the UI wants to be called again.
    tick: Option<Instant>,
}

impl Person {
    /// Opens the UI on a workflow and waits until it is there.
    pub(crate) async fn open(home: &Home, file: &std::path::Path) -> Self {
        let mut model = Model::new(Options { motion: false, ..Options::default() });
        model.size = SIZE;
        let source = Source::File(file.to_owned());
        model.opening = Some(source.clone());
        let terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
        let session = Session::new(home.clone(), "/nowhere/fanlight".into(), model);
        let mut person = Self { session, terminal, watch: None, tick: None };
        person.session.carry_out(vec![Effect::ReadWorkflow(Request { source, purpose: Purpose::Open })]);
        person
            .until("the workflow is on screen", |model, screen| {
                model.is_up() && model.workflow_id().is_some() && screen.contains("count")
            })
            .await;
        person
    }

    pub(crate) fn model(&self) -> &Model {
        &self.session.model
    }

    /// Calls back for every frame from now on.
    pub(crate) fn watch(&mut self, look: impl FnMut(&Model) + Send + 'static) {
        self.watch = Some(Box::new(look));
    }

    /// Presses keys, written as in a keymap file.
    pub(crate) fn press(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            let key: Key = key.parse().unwrap();
            self.step(Message::Key(key.event()));
            self.look();
        }
    }

    fn step(&mut self, message: Message) {
        self.session.model.now = Time::now();
        let effects = self.session.update(message);
        for effect in self.session.carry_out(effects) {
            if let Effect::TickIn(milliseconds) = effect {
                self.tick = Some(Instant::now() + Duration::from_millis(milliseconds));
            }
        }
    }

    /// Draws a frame. Returns its text.
    pub(crate) fn look(&mut self) -> String {
        let (model, mut areas) = (&self.session.model, Areas::default());
        self.terminal
            .draw(|frame| areas = view::view(model, &Theme::default(), frame.area(), frame.buffer_mut()))
            .unwrap();
        if let Some(look) = &mut self.watch {
            look(&self.session.model);
        }
        self.step(Message::Shown(Box::new(areas)));
        let buffer = self.terminal.backend().buffer();
        let row = |y: u16| (0..SIZE.0).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..SIZE.1).map(row).collect::<Vec<_>>().join("\n")
    }

    /// Processes messages until `holds` accepts the model and the screen.
    #[track_caller]
    pub(crate) fn until<'a>(
        &'a mut self,
        what: &'a str,
        mut holds: impl FnMut(&Model, &str) -> bool + 'a,
    ) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let end = Instant::now() + TIMEOUT;
            loop {
                let screen = self.look();
                if holds(&self.session.model, &screen) {
                    return;
                }
                let due = self.tick.map_or(end, |tick| tick.min(end));
                let next = match tokio::time::timeout_at(due, self.session.next_message()).await {
                    Err(_) if self.tick.take().is_some() => Ok(Some(Message::Tick(Time::now()))),
                    next => next,
                };
                // Messages without end don't count as progress.
                if next.is_err() || Instant::now() >= end {
                    panic!("{caller}: waited in vain until {what}; the screen:\n{screen}");
                }
                match next {
                    Ok(Some(message)) => self.step(message),
                    _ => panic!("{caller}: the link is gone"),
                }
            }
        }
    }

    /// Returns the number of the run whose telemetry is shown.
    pub(crate) fn lens(&self) -> Option<u32> {
        self.model().lens().map(|lens| lens.run.number)
    }
}

/// Returns the progress message of `count` in the shown run.
pub(crate) fn progress(model: &Model) -> Option<String> {
    let state = model.lens()?.state;
    state.nodes.get("count")?.whole.progress.as_ref()?.message.clone()
}

/// Returns the tiles of a run in the gallery: live ones, and products.
pub(crate) fn tiles_of(model: &Model, run: RunId) -> (usize, usize) {
    let live = tiles::live(model).iter().filter(|it| it.id == run).count();
    (live, model.gallery.assets.iter().filter(|asset| asset.run_id == run).count())
}
