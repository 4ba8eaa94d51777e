//! Walks back from an asset to everything that it was made of.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use fanlight_shared::asset::Asset;
use fanlight_shared::document;
use fanlight_shared::document::children::starts_runs;
use fanlight_shared::expression::Root;
use fanlight_shared::id::{BlobHash, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::{FORMAT, InputFile, Lineage, Product, RunOf, Step, UNKNOWN_ACTION};
use fanlight_shared::media::Media;
use fanlight_shared::origin::Origin;
use fanlight_shared::preview;
use fanlight_shared::rpc::assets::Detail;
use fanlight_shared::run_state::{NodeState, RunState};
use fanlight_shared::value::Value;
use fanlight_shared::workflow::{Action, Node, Template, Workflow};
use indexmap::IndexMap;

use crate::content;
use crate::node_type::NodeTypeSet;
use crate::store::{Store, StoreError};

/// The most steps, files and runs of a lineage, so that it fits into a message.
const MAX_STEPS: usize = 200;
const MAX_FILES: usize = 200;
const MAX_RUNS: usize = 60;
/// How many runs that computed items of one node are followed.
const MAX_ORIGINS: usize = 20;
/// The most bytes of JSON that the params of the product's run have, the text of its file, and those of the files of its children.
const MAX_PARAMS_BYTES: usize = 64 << 10;
const MAX_DOCUMENT_BYTES: usize = 256 << 10;

/// Returns the lineage of an asset, by its id or a unique prefix of it. Blocks.
///
/// # Errors
/// No asset has this id, or several begin with it.
pub(crate) fn of(store: &Store, types: &NodeTypeSet, asset: &str) -> Result<Lineage, StoreError> {
    let Detail { asset, recipe } = store.asset(asset)?;
    let mut walk = Walk::new(store, types);
    walk.begin(&asset)?;
    while let Some(place) = walk.next.pop_front() {
        walk.step(&place)?;
    }
    let product = Product {
        id: asset.id,
        hash: hash_of(&asset),
        name: asset.name,
        mime: asset.mime,
        bytes: asset.bytes,
        created_at: asset.created_at,
        node: asset.node,
        item: asset.item,
        port: asset.port,
        ordinal: asset.ordinal,
        attempt: recipe.attempt,
        duration_ms: recipe.duration_ms,
        cost_usd: recipe.cost_usd,
    };
    let (steps, cut) = (walk.steps, walk.cut);
    let runs: Vec<RunOf> =
        walk.runs.into_values().flatten().map(|known| shown(&known.run, asset.run_id)).collect();
    let files = walk.files.into_values().collect();
    let mut children = store.child_documents(asset.run_id)?;
    let own = runs.first().and_then(|run| run.document.as_ref()).map_or(0, String::len);
    if own + children.iter().map(|child| child.document.len()).sum::<usize>() > MAX_DOCUMENT_BYTES {
        children.clear();
    }
    Ok(Lineage { fanlight: FORMAT, product, steps, cut, runs, files, children })
}

/// Returns a run for a response; that of the product is shown whole as far as it isn't long.
fn shown(run: &RunOf, product: RunId) -> RunOf {
    let mut run = run.clone();
    let is_long = |text: &String| text.len() > MAX_DOCUMENT_BYTES;
    if run.id != product || run.document.as_ref().is_some_and(is_long) {
        run.document = None;
    }
    if run.id != product
        || run.params.values().any(Value::has_large)
        || !preview::fits(&run.params, MAX_PARAMS_BYTES)
    {
        run.shorten();
    }
    run
}

/// Returns the hash of the bytes of an asset, if they are stored whole.
fn hash_of(asset: &Asset) -> Option<BlobHash> {
    match &asset.value {
        Value::Media(media) => Some(media.hash),
        Value::Large(large) => (!large.cut).then_some(large.hash),
        value => {
            let bytes = content::written(value).ok()?;
            (bytes.len() as u64 == asset.bytes).then(|| BlobHash::of(&bytes))
        }
    }
}

/// A node of a run, or an item of it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    run: RunId,
    node: String,
    item: ItemPath,
}

/// A run with its file and its state.
struct Known {
    run: RunOf,
    /// None if the file can't be read with the node types of this daemon.
    workflow: Option<Workflow>,
    /// None if the run was deleted, or its events can't be read.
    state: Option<RunState>,
}

struct Walk<'a> {
    store: &'a Store,
    types: &'a NodeTypeSet,
    runs: IndexMap<RunId, Option<Arc<Known>>>,
    /// By the file: a text is checked once for all runs that have it.
    workflows: HashMap<String, Option<Workflow>>,
    seen: HashSet<Place>,
    next: VecDeque<Place>,
    steps: Vec<Step>,
    files: IndexMap<(String, String, BlobHash), InputFile>,
    cut: bool,
}

impl<'a> Walk<'a> {
    fn new(store: &'a Store, types: &'a NodeTypeSet) -> Self {
        Self {
            store,
            types,
            runs: IndexMap::new(),
            workflows: HashMap::new(),
            seen: HashSet::new(),
            next: VecDeque::new(),
            steps: Vec::new(),
            files: IndexMap::new(),
            cut: false,
        }
    }

    /// Begins with the node that made an asset, or with those that an output of the workflow reads.
    fn begin(&mut self, asset: &Asset) -> Result<(), StoreError> {
        if !asset.node.is_empty() {
            self.add(asset.run_id, &asset.node, asset.item);
            return Ok(());
        }
        let Some(known) = self.run(asset.run_id)? else { return Ok(()) };
        self.add_outputs(&known, Some(&asset.port));
        Ok(())
    }

    /// Adds the nodes that an output of a run reads, or all its outputs.
    fn add_outputs(&mut self, known: &Known, only: Option<&str>) {
        let outputs = known.workflow.iter().flat_map(|workflow| &workflow.outputs);
        for (_, output) in outputs.filter(|(name, _)| only.is_none_or(|only| only == *name)) {
            for reference in output.value.expressions().into_iter().flat_map(|it| it.references()) {
                if let Root::Node(node) = &reference.root {
                    self.add(known.run.id, node, ItemPath::WHOLE);
                }
            }
        }
    }

    fn add(&mut self, run: RunId, node: &str, item: ItemPath) {
        let place = Place { run, node: node.to_owned(), item };
        if self.seen.insert(place.clone()) {
            self.next.push_back(place);
        }
    }

    fn run(&mut self, id: RunId) -> Result<Option<Arc<Known>>, StoreError> {
        if let Some(known) = self.runs.get(&id) {
            return Ok(known.clone());
        }
        if self.runs.len() >= MAX_RUNS {
            self.cut = true;
            return Ok(None);
        }
        let Some(run) = self.store.run_of(id)? else {
            self.runs.insert(id, None);
            return Ok(None);
        };
        let state = match self.store.run_state(id) {
            Ok(state) => Some(state),
            // What its file says about it is still known.
            Err(StoreError::NotFound(_) | StoreError::Unreadable(_)) => None,
            Err(error) => return Err(error),
        };
        let text = run.document.clone().unwrap_or_default();
        let types = self.types;
        let workflow = self.workflows.entry(text).or_insert_with_key(|text| {
            document::read(text, types.catalogue()).ok().map(|checked| checked.workflow)
        });
        let known = Arc::new(Known { workflow: workflow.clone(), state, run });
        for (name, value) in &known.run.params {
            value.media().into_iter().for_each(|media| self.file(&known.run.name, name, true, media));
        }
        self.runs.insert(id, Some(known.clone()));
        Ok(Some(known))
    }

    fn file(&mut self, run: &str, reader: &str, is_param: bool, media: &Media) {
        if self.files.len() >= MAX_FILES {
            self.cut = true;
            return;
        }
        let file = InputFile {
            run: run.to_owned(),
            reader: reader.to_owned(),
            is_param,
            name: media.name.clone(),
            path: media.source.as_ref().map(|source| source.path.clone()),
            hash: media.hash,
            bytes: media.bytes,
        };
        self.files.insert((file.run.clone(), file.reader.clone(), file.hash), file);
    }

    fn step(&mut self, place: &Place) -> Result<(), StoreError> {
        if self.steps.len() >= MAX_STEPS {
            self.cut = true;
            return Ok(());
        }
        let Some(known) = self.run(place.run)? else { return Ok(()) };
        let node = known.workflow.as_ref().and_then(|workflow| workflow.nodes.get(&place.node));
        // A node without `each` has no items.
        let item = if node.is_none_or(|node| node.each.is_some()) { place.item } else { ItemPath::WHOLE };
        let state = known.state.as_ref().and_then(|state| state.nodes.get(&place.node));
        let (origins, is_computed) = state.map_or((Vec::new(), true), |state| origins(state, item));
        let mut step = Step {
            run: known.run.name.clone(),
            node: place.node.clone(),
            item,
            action: node.map_or(UNKNOWN_ACTION, |node| node.action.word()).to_owned(),
            version: None,
            tools: node.map(tools).unwrap_or_default(),
            programs: state.map(|state| state.programs.clone()).unwrap_or_default(),
            origin: origins.first().cloned(),
            reads: Vec::new(),
            params: Vec::new(),
            secrets: Vec::new(),
            child: None,
            dir: node.and_then(|node| node.dir.as_ref()).map(|dir| dir.source().to_owned()),
        };
        let made_with = known.run.made_with.as_ref();
        step.version = made_with.and_then(|made| made.types.get(&step.action)).copied();
        // An entry of a run that is gone was computed from equal inputs, which are those of this run.
        let mut is_followed = true;
        for origin in &origins {
            match self.run(origin.run_id)? {
                Some(_) => self.add(origin.run_id, &origin.node, origin.item),
                None => is_followed = false,
            }
        }
        if let Some(node) = node {
            let straight = known.workflow.as_ref().and_then(|workflow| workflow.item_by_item(node));
            let straight = straight.map(|(from, _)| from);
            self.inputs(&mut step, node, straight, place.run, is_computed || !is_followed);
        }
        if node.is_some_and(starts_runs) {
            for child in self.store.children_of(place.run, &place.node, item)? {
                let Some(child) = self.run(child)? else { continue };
                step.child.get_or_insert_with(|| child.run.name.clone());
                self.add_outputs(&child, None);
            }
        }
        for media in self.store.files_of(place.run, &place.node)? {
            self.file(&step.run, &step.node, false, &media);
        }
        self.steps.push(step);
        Ok(())
    }

    /// Records what a node reads. `straight`: the node whose items it reads one by one; `follow`: adds the nodes that it
    /// reads.
    fn inputs(&mut self, step: &mut Step, node: &Node, straight: Option<&str>, run: RunId, follow: bool) {
        for (_, expression) in node.expressions() {
            for reference in expression.references() {
                let names = match &reference.root {
                    Root::Node(from) => {
                        let item = if straight == Some(from) { step.item } else { ItemPath::WHOLE };
                        if follow {
                            self.add(run, from, item);
                        }
                        add_name(&mut step.reads, from);
                        continue;
                    }
                    Root::Params => &mut step.params,
                    _ => continue,
                };
                match &reference.port {
                    Some(name) => add_name(names, name),
                    None => add_name(names, "*"),
                }
            }
        }
        step.secrets = node.secrets().into_iter().map(str::to_owned).collect();
    }
}

/// Returns the programs that the file of a command names.
fn tools(node: &Node) -> Vec<String> {
    let own = match &node.action {
        Action::Uses(_) => None,
        Action::Run { shell, .. } => shell.name(),
        Action::Cmd(words) => match words.first() {
            Some(Template::Literal(program)) => program.as_text(),
            _ => None,
        },
    };
    let others = node.remember.iter().flat_map(|remember| &remember.tools).map(String::as_str);
    let mut tools = Vec::new();
    own.into_iter().chain(others).for_each(|tool| add_name(&mut tools, tool));
    tools
}

fn add_name(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// Returns where the results of a node, or of an item of it, were computed that its run took over, and whether the run computed
/// some of them itself.
fn origins(state: &NodeState, item: ItemPath) -> (Vec<Origin>, bool) {
    let one = |origin: Option<&Origin>| (origin.cloned().into_iter().collect(), origin.is_none());
    if let Some(index) = item.0 {
        return one(state.items.get(&index).and_then(|item| item.origin.as_deref()));
    }
    if state.item_count.is_none() {
        return one(state.whole.origin.as_deref());
    }
    let mut found: Vec<Origin> = Vec::new();
    let mut is_computed = state.items.is_empty();
    for item in state.items.values() {
        match item.origin.as_deref() {
            Some(origin) if found.len() < MAX_ORIGINS => {
                // The items of one node of another run are one step there.
                let origin = Origin { item: ItemPath::WHOLE, ..origin.clone() };
                if !found.contains(&origin) {
                    found.push(origin);
                }
            }
            Some(_) => {}
            None => is_computed = true,
        }
    }
    (found, is_computed)
}
