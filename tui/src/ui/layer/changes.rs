//! The files that differ between two folders, or that a patch changes, and the diff of one of them; or the diff of two texts.

mod keys;
mod sources;
mod view;

use std::collections::{HashMap, HashSet};

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::id::{AssetId, BlobHash};
use fanlight_shared::media::DirManifest;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::Cursor;
use crate::ui::action::Action;
use crate::ui::areas::{Areas, Hit};
use crate::ui::changes::{self, DiffLine, FileChange, Kind, LineKind};
use crate::ui::content::code::Language;
use crate::ui::effect::Effect;
use crate::ui::message::{FileText, Response};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;
use sources::Source;

/// The largest file that is shown, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The largest file whose changed lines are counted for the list, in bytes.
const MAX_COUNTED_BYTES: u64 = 256 * 1024;
/// The maximum number of concurrent requests; the rest follows after the next frame.
const MAX_CONCURRENT: usize = 8;
/// How many bytes of texts are kept.
const MAX_TEXTS: usize = 32 * 1024 * 1024;

/// What a file that does not exist has.
static NO_FILE: FileText = FileText::Text(String::new());

/// The files of folders or patches.
#[derive(Debug)]
pub struct Changes {
    source: Source,
    title: String,
    /// What was read so far.
    folders: HashMap<AssetId, DirManifest>,
    patches: HashMap<AssetId, String>,
    files: Vec<FileChange>,
    /// How many files are equal.
    equal: usize,
    /// Whether everything was read.
    is_read: bool,
    /// What could not be read, and why.
    problem: Option<(AssetId, String)>,
    texts: HashMap<BlobHash, FileText>,
    asked: HashSet<BlobHash>,
    cursor: Cursor,
    /// The file whose diff is shown, with its lines once they are known.
    opened: Option<(usize, Option<Vec<DiffLine>>)>,
    scroll: usize,
}

impl Changes {
    /// Returns whether a product is a folder or a patch.
    #[must_use]
    pub fn can_list(asset: &Asset) -> bool {
        asset.kind == AssetKind::Dir || changes::is_patch(asset)
    }

    /// Returns whether both products are folders, both are patches, or both are other texts.
    #[must_use]
    pub fn can_compare(a: &Asset, b: &Asset) -> bool {
        let are_folders = [a, b].iter().all(|asset| asset.kind == AssetKind::Dir);
        are_folders || changes::is_text(a) && changes::is_text(b)
    }

    /// Returns what this product has to show: the files of a folder or of a patch.
    #[must_use]
    pub fn of(asset: &Asset) -> Option<Self> {
        let source = match asset.kind {
            _ if !Self::can_list(asset) => return None,
            AssetKind::Dir => Source::Folder(asset.id),
            _ => Source::Patches(vec![Source::text(asset)]),
        };
        Some(Self::new(source, format!("{} of {}", asset.name, asset.run)))
    }

    /// Returns what two products have to show: the files that differ between two folders, those of two patches, or the lines
    /// that differ between two texts.
    #[must_use]
    pub fn between(a: &Asset, b: &Asset) -> Option<Self> {
        let source = match a.kind {
            _ if !Self::can_compare(a, b) => return None,
            AssetKind::Dir => Source::Folders([a.id, b.id]),
            _ if changes::is_patch(a) && changes::is_patch(b) => {
                Source::Patches(vec![Source::text(a), Source::text(b)])
            }
            _ => Source::Texts([Source::text(a), Source::text(b)]),
        };
        Some(Self::new(source, format!("{} and {}", a.run, b.run)))
    }

    fn new(source: Source, title: String) -> Self {
        let mut changes = Self {
            source,
            title,
            folders: HashMap::new(),
            patches: HashMap::new(),
            files: Vec::new(),
            equal: 0,
            is_read: false,
            problem: None,
            texts: HashMap::new(),
            asked: HashSet::new(),
            cursor: Cursor::default(),
            opened: None,
            scroll: 0,
        };
        changes.arrange();
        changes
    }

    /// Returns the effects of opening it.
    #[must_use]
    pub fn begin(&self) -> Vec<Effect> {
        self.source.requests()
    }

    /// Lists the files once everything was read.
    fn arrange(&mut self) {
        if let Some((files, equal)) = self.source.files(&self.folders, &self.patches) {
            (self.files, self.equal, self.is_read) = (files, equal, true);
            if self.source.is_one() && self.opened.is_none() {
                self.opened = Some((0, None));
                self.fill();
            }
        }
    }

    /// Returns the text of a body: an empty one if there is no file, and `None` if it was not read yet.
    fn text(&self, body: Option<changes::Body>) -> Option<&FileText> {
        match body {
            None => Some(&NO_FILE),
            Some(body) => self.texts.get(&body.hash),
        }
    }

    /// Returns the lines of a file, if its bytes were read.
    fn lines(&self, file: &FileChange) -> Option<Vec<DiffLine>> {
        if let Some(lines) = &file.lines {
            return Some(lines.clone());
        }
        let note = |text: &str| Some(vec![DiffLine::new(LineKind::Head, text)]);
        if file.bodies.iter().flatten().any(|body| body.bytes > MAX_FILE_BYTES) {
            return note("it is larger than 1 MB: save the folder and compare it there");
        }
        let language = Language::of(&file.path);
        match (self.text(file.bodies[0])?, self.text(file.bodies[1])?) {
            (FileText::Text(_), FileText::Text(text)) if file.kind == Kind::Plain => {
                Some(changes::whole(LineKind::Same, text, language))
            }
            (FileText::Text(_), FileText::Text(text)) if file.kind == Kind::Added && text.is_empty() => {
                note("it is new, and empty")
            }
            (FileText::Text(text), FileText::Text(_)) if file.kind == Kind::Removed && text.is_empty() => {
                note("it was empty, and is removed")
            }
            (FileText::Text(before), FileText::Text(after)) => {
                let mut lines = changes::between(before, after, language);
                if let [Some(a), Some(b)] = file.bodies
                    && a.executable != b.executable
                {
                    let now =
                        if b.executable { "it is executable now" } else { "it is not executable any more" };
                    lines.insert(0, DiffLine::new(LineKind::Head, now));
                }
                Some(lines)
            }
            (FileText::Failed(why), _) | (_, FileText::Failed(why)) => {
                note(&format!("it can't be read: {why}"))
            }
            _ if file.kind == Kind::Plain => note("it is not a text"),
            _ => note("its contents differ, and are not a text"),
        }
    }

    /// Requests what a file lacks.
    fn want(&mut self, at: usize, most: u64) -> Vec<Effect> {
        let Some(file) = self.files.get(at).filter(|file| file.lines.is_none()) else { return Vec::new() };
        let bodies = file.bodies;
        if bodies.iter().flatten().any(|body| body.bytes > most) {
            return Vec::new();
        }
        let mut effects = Vec::new();
        for body in bodies.into_iter().flatten() {
            let free = self.asked.len() < MAX_CONCURRENT;
            if free && !self.texts.contains_key(&body.hash) && self.asked.insert(body.hash) {
                effects.push(Effect::GetFile(body.asset, body.hash));
            }
        }
        effects
    }

    fn take(&mut self, hash: BlobHash, text: FileText) {
        self.asked.remove(&hash);
        let bytes: usize = self.texts.values().map(FileText::bytes).sum();
        if bytes > MAX_TEXTS {
            self.texts.clear();
        }
        self.texts.insert(hash, text);
        if let Some((at, lines)) = &mut self.opened
            && self.files.get(*at).is_some_and(|file| file.has(hash))
        {
            *lines = None;
        }
        self.fill();
        // Many files may be equal before, and equal after.
        let mut known: HashMap<[Option<BlobHash>; 2], Option<(usize, usize)>> = HashMap::new();
        for at in 0..self.files.len() {
            let file = &self.files[at];
            if !file.has(hash) || file.kind == Kind::Plain || file.counts.is_some() {
                continue;
            }
            let pair = file.bodies.map(|body| body.map(|body| body.hash));
            let counts = *known.entry(pair).or_insert_with(|| self.counts(at));
            self.files[at].counts = counts;
        }
    }

    /// Returns how many lines of a file are added and removed, if both of its texts were read.
    fn counts(&self, at: usize) -> Option<(usize, usize)> {
        let file = self.files.get(at)?;
        let is_text = |body| matches!(self.text(body), Some(FileText::Text(_)));
        if !file.bodies.into_iter().all(is_text) {
            return None;
        }
        match &self.opened {
            Some((opened, Some(lines))) if *opened == at => Some(changes::counts(lines)),
            _ => self.lines(file).as_deref().map(changes::counts),
        }
    }

    /// Returns whether this is a file of the list that was not read yet, or could not be read before.
    fn lacks(&self, hash: BlobHash) -> bool {
        let is_unread = !matches!(self.texts.get(&hash), Some(FileText::Text(_) | FileText::Binary));
        is_unread && self.files.iter().any(|file| file.has(hash))
    }

    /// Fills the open diff, if everything is there.
    fn fill(&mut self) {
        if let Some((at, None)) = self.opened
            && let Some(lines) = self.files.get(at).and_then(|file| self.lines(file))
        {
            self.opened = Some((at, Some(lines)));
        }
    }

    fn open(&mut self, at: usize) -> Vec<Effect> {
        if at >= self.files.len() {
            return Vec::new();
        }
        (self.opened, self.scroll, self.cursor.at) = (Some((at, None)), 0, at);
        self.fill();
        self.want(at, MAX_FILE_BYTES)
    }
}

impl Component for Changes {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        let opened = self.opened.as_ref().map(|(at, _)| *at);
        if let Some((at, action)) = opened.zip(action) {
            return self.key_in_diff(model, at, action);
        }
        if self.cursor.key(key, action, self.files.len(), 40) {
            return Step::stay();
        }
        match action {
            Some(Action::Back | Action::Quit) => Step::close(),
            Some(Action::Open) => Step::with(self.open(self.cursor.at)),
            _ => Step::pass(),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Row(row))) => return Step::with(self.open(*row)),
            (MouseEventKind::ScrollDown, _) if self.opened.is_some() => {
                self.scroll = self.scroll.saturating_add(3);
                self.stay_inside(model);
            }
            (MouseEventKind::ScrollUp, _) if self.opened.is_some() => {
                self.scroll = self.scroll.saturating_sub(3);
            }
            (MouseEventKind::ScrollDown, _) => self.cursor.wheel(true, self.files.len()),
            (MouseEventKind::ScrollUp, _) => self.cursor.wheel(false, self.files.len()),
            _ => {}
        }
        Step::stay()
    }

    fn response(&mut self, _model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Manifest(asset, folder) if self.source.has(*asset) => {
                self.folders.insert(*asset, folder.clone());
                self.problem.take_if(|(failed, _)| failed == asset);
                self.arrange();
            }
            Response::Text(asset, text) if self.source.has(*asset) => {
                self.patches.insert(*asset, text.clone());
                self.problem.take_if(|(failed, _)| failed == asset);
                self.arrange();
            }
            // A request that failed is repeated when the daemon is back.
            Response::File(_, hash, text) if self.lacks(*hash) => self.take(*hash, text.clone()),
            Response::Failed { request, error, .. } => match &**request {
                Effect::GetManifest(asset) | Effect::GetText(asset) if self.source.has(*asset) => {
                    self.problem = Some((*asset, error.clone()));
                }
                Effect::GetFile(_, hash) if self.asked.contains(hash) => {
                    self.take(*hash, FileText::Failed(error.clone()));
                }
                _ => {}
            },
            _ => {}
        }
        Vec::new()
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        if let Some((at, None)) = self.opened {
            return self.want(at, MAX_FILE_BYTES);
        }
        let height = usize::from(model.areas.layer.map_or(0, |it| it.height));
        let first = self.cursor.first(self.files.len(), height);
        let in_view = first..(first + height).min(self.files.len());
        let unknown = |at: &usize| {
            let file = &self.files[*at];
            file.counts.is_none() && file.kind != Kind::Plain
        };
        let lacking: Vec<usize> = in_view.filter(unknown).collect();
        lacking.into_iter().flat_map(|at| self.want(at, MAX_COUNTED_BYTES)).collect()
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        match self.opened {
            Some(_) => {
                let mut hints = vec![Action::Down, Action::NextMatch, Action::PreviousMatch];
                if !self.source.is_one() {
                    hints.extend([Action::Right, Action::Left]);
                }
                hints.push(Action::Back);
                hints
            }
            None => vec![Action::Open, Action::Down, Action::Up, Action::Back],
        }
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
