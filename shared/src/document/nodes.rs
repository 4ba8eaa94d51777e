//! `nodes:`.

use super::hints;
use super::names::is_name;
use super::reading::{Reading, is_null};
use super::template::Plain;
use super::yaml::{Entry, Kind, Node as Part};
use crate::node_type::{Effects, RUN_TYPE};
use crate::problem::Span;
use crate::types::Type;
use crate::value::cut;
use crate::workflow::{Action, Changes, Node, Retry, Shell};

const KEYS: [&str; 26] = [
    "uses",
    "run",
    "cmd",
    "shell",
    "with",
    "needs",
    "if",
    "each",
    "retry",
    "timeout",
    "resources",
    "pool",
    "lock",
    "engine",
    "pass_env",
    "env",
    "dir",
    "outputs",
    "keep",
    "metrics",
    "remember",
    "effects",
    "on_interrupt",
    "on_item_error",
    "allow_failure",
    "description",
];

/// Positions of the parts of a node, for later checks.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The value of `uses`, `run` or `cmd`.
    pub(super) action: Span,
    /// The inputs of `with`, in its order.
    pub(super) with: Vec<InputPlace>,
    /// The names in `needs`, in its order.
    pub(super) needs: Vec<Span>,
    /// `each`.
    pub(super) each: Span,
    /// `remember`.
    pub(super) remember: Span,
    /// What `dir` collects.
    pub(super) collect: Vec<(Changes, Span)>,
    /// Its action could not be read, so its ports aren't checked.
    pub(super) broken: bool,
}

/// The position of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct InputPlace {
    pub(super) name: Span,
    pub(super) value: Span,
    /// Its value could not be read, so it isn't checked further.
    pub(super) broken: bool,
}

impl Reading<'_> {
    /// Reads a node.
    pub(super) fn node(&mut self, entry: &Entry) -> (Node, Places) {
        self.node = Some(entry.key.clone());
        self.name(entry, "a node", false);
        let mut node = Node {
            action: Action::Uses(String::new()),
            with: indexmap::IndexMap::new(),
            needs: Vec::new(),
            condition: None,
            each: None,
            retry: Retry::default(),
            timeout: None,
            resources: None,
            pool: None,
            engine: None,
            lock: None,
            pass_env: Vec::new(),
            env: indexmap::IndexMap::new(),
            dir: None,
            outputs: indexmap::IndexMap::new(),
            native_outputs: indexmap::IndexMap::new(),
            keep: None,
            metrics: Vec::new(),
            remember: None,
            effects: None,
            again_on_interrupt: false,
            drop_failed_items: false,
            allow_failure: false,
            span: entry.key_span,
        };
        let mut places = Places { action: entry.key_span, ..Places::default() };
        match &entry.value.kind {
            Kind::Map(fields) => {
                self.action(entry, fields, &mut node, &mut places);
                // What becomes of an item is known when the rest has been read.
                let (each, others): (Vec<_>, Vec<_>) = fields.iter().partition(|field| field.key == "each");
                for field in others.into_iter().chain(each) {
                    self.field(field, &mut node, &mut places);
                }
                self.add_changes(&mut node, std::mem::take(&mut places.collect));
            }
            _ => {
                let message = format!(
                    "node `{}` must be a map, got {}",
                    cut(&entry.key, 60),
                    super::reading::describe(&entry.value)
                );
                self.error_hint("wrong_kind", entry.value.span, message, "give it `uses:`, `run:` or `cmd:`");
                places.broken = true;
            }
        }
        self.node = None;
        (node, places)
    }

    fn action(&mut self, entry: &Entry, fields: &[Entry], node: &mut Node, places: &mut Places) {
        let actions: Vec<&Entry> =
            fields.iter().filter(|field| matches!(field.key.as_str(), "uses" | "run" | "cmd")).collect();
        let name = cut(&entry.key, 60);
        let [action] = actions.as_slice() else {
            places.broken = true;
            match actions.last() {
                None => {
                    let foreign = fields.iter().any(|field| hints::node_key(&field.key).is_some());
                    let message =
                        format!("node `{name}` does nothing: it has none of `uses`, `run` and `cmd`");
                    // The foreign word is reported with its own hint, and is usually the action.
                    let hint = if foreign {
                        "see the other problems of this node"
                    } else {
                        "add `uses:` with a node type, `run:` with a script, or `cmd:` with a program"
                    };
                    self.error_hint("no_action", entry.key_span, message, hint);
                }
                Some(last) => {
                    let words =
                        actions.iter().map(|it| format!("`{}`", it.key)).collect::<Vec<_>>().join(" and ");
                    self.error_hint(
                        "two_actions",
                        last.key_span,
                        format!("node `{name}` has {words}"),
                        "keep one of them",
                    );
                }
            }
            return;
        };
        places.action = action.value.span;
        let read = match action.key.as_str() {
            "uses" => self.plain_text(&action.value, "`uses`").map(Action::Uses),
            "run" => {
                let shell = fields.iter().find(|field| field.key == "shell");
                let shell = shell.map_or(Shell::Default, |field| self.shell(&field.value));
                self.script(&action.value).map(|script| Action::Run { script, shell })
            }
            _ => self.cmd(&action.value).map(Action::Cmd),
        };
        match read {
            Some(read) => node.action = read,
            None => {
                places.broken = true;
                // Keeps `outputs`, `env` and `dir` from being reported too.
                if action.key != "uses" {
                    node.action = Action::Cmd(Vec::new());
                }
            }
        }
    }

    fn field(&mut self, field: &Entry, node: &mut Node, places: &mut Places) {
        let value = &field.value;
        let command = node.action.is_command();
        let what = format!("`{}`", cut(&field.key, 60));
        let declared = match &node.action {
            Action::Uses(uses) => self.catalogue.get(uses).and_then(|spec| spec.declared_outputs),
            _ => None,
        };
        if let ("outputs", Some(declared)) = (field.key.as_str(), declared) {
            node.native_outputs = self.native_outputs(value, declared);
            return;
        }
        match field.key.as_str() {
            "uses" | "run" | "cmd" => {}
            "shell" => {
                if !matches!(node.action, Action::Run { .. }) && !places.broken {
                    self.error_hint("not_here", field.key_span, "`shell` belongs to `run:`", "remove it");
                }
            }
            "env" | "pass_env" | "dir" | "outputs" | "remember" | "metrics" | "engine"
                if !command && !places.broken =>
            {
                let message =
                    format!("{what} belongs to commands (`run:`, `cmd:`), not to a node with `uses:`");
                let hint = match field.key.as_str() {
                    "outputs" => "its outputs come from its type; `fanlight nodes` shows them",
                    "env" | "pass_env" => "pass values by `with:`",
                    "engine" => "remove it; such a node runs on this machine",
                    "metrics" => "remove it; a node type reports its own metrics",
                    "remember" => {
                        "remove it; `fanlight nodes TYPE` says whether results of a type are reused"
                    }
                    _ => "remove it; give files by params",
                };
                self.error_hint("not_for_native", field.key_span, message, hint);
            }
            "pool" | "lock" | "resources" if node.action.word() == RUN_TYPE => {
                let message = format!(
                    "{what} does not belong to `{}`: nodes of the run that it starts could wait for it forever",
                    RUN_TYPE
                );
                self.error_hint("not_here", field.key_span, message, "set it on nodes of the other file");
            }
            "env" => node.env = self.env(value),
            "pass_env" => node.pass_env = self.variable_names(value, "`pass_env`"),
            "dir" => {
                if let Some(read) = self.dir(value) {
                    node.dir = Some(read.dir);
                    places.collect = read.collect;
                }
            }
            "outputs" => node.outputs = self.command_outputs(value),
            "with" => self.with(value, node, places),
            "needs" => self.needs(value, node, places),
            "if" => node.condition = self.condition(value),
            "each" => {
                places.each = value.span;
                node.each = self.each(value, node);
                places.broken |= node.each.is_none();
            }
            "retry" => node.retry = self.retry(value),
            "timeout" => {
                node.timeout = self.duration(value, &what);
                if node.timeout.is_some_and(|timeout| timeout.is_zero()) {
                    self.error("bad_duration", value.span, "`timeout` must be more than 0");
                }
            }
            "resources" => {
                let resources = self.resources(value);
                node.resources = (!resources.0.is_empty()).then(|| Box::new(resources));
            }
            "pool" => {
                if let Some(pool) = self.plain_text(value, &what) {
                    if is_name(&pool.replace('-', "_")) {
                        node.pool = Some(pool);
                    } else {
                        let message = format!("`{}` can't be the name of a pool", cut(&pool, 60));
                        self.error_hint(
                            "bad_name",
                            value.span,
                            message,
                            "pools are declared in the config by names such as `gpu`",
                        );
                    }
                }
            }
            "lock" => node.lock = self.lock(value),
            "engine" => node.engine = self.engine(value),
            "keep" => node.keep = self.bool(value, &what),
            "metrics" => node.metrics = self.metrics(value),
            "remember" => {
                places.remember = field.key_span;
                node.remember = self.remember(value);
            }
            "effects" => {
                let words = [
                    ("none", Effects::None),
                    ("idempotent", Effects::Idempotent),
                    ("external", Effects::External),
                ];
                node.effects = self.word(value, &what, &words);
            }
            "on_interrupt" => {
                node.again_on_interrupt =
                    self.word(value, &what, &[("again", true), ("fail", false)]).unwrap_or(false);
            }
            "on_item_error" => {
                node.drop_failed_items =
                    self.word(value, &what, &[("drop", true), ("fail", false)]).unwrap_or(false);
            }
            "allow_failure" => node.allow_failure = self.bool(value, &what).unwrap_or(false),
            "description" => {
                self.plain_text(value, &what);
            }
            key => {
                let timeout = hints::timeout(key, value.scalar_text().unwrap_or_default());
                let foreign = timeout.as_deref().or_else(|| hints::node_key(key));
                self.unknown_key(field, "a node", &KEYS, foreign);
            }
        }
    }

    /// Reads the name of an engine.
    pub(super) fn engine(&mut self, value: &Part) -> Option<String> {
        let name = self.plain_text(value, "`engine`")?;
        if is_name(&name.replace('-', "_")) {
            return Some(name);
        }
        let message = format!("`{}` can't be the name of an engine", cut(&name, 60));
        let hint = "engines are declared in the config by names such as `cluster`; `local` is this machine";
        self.error_hint("bad_name", value.span, message, hint);
        None
    }

    fn with(&mut self, value: &Part, node: &mut Node, places: &mut Places) {
        let Some(entries) = self.map(value, "`with`", "a map from inputs to values") else { return };
        let catalogue = self.catalogue;
        let spec = match &node.action {
            Action::Uses(name) => catalogue.get(name),
            _ => None,
        };
        for entry in entries {
            if !self.name(entry, "an input", true) {
                continue;
            }
            let before = self.problems.len();
            let plain = match spec.and_then(|spec| spec.inputs.get(&entry.key)) {
                Some(input) => Plain::As(&input.ty),
                None if node.action.is_command() => Plain::Variable,
                None => Plain::As(&Type::Any),
            };
            let template = self.template(&entry.value, plain);
            let broken = self.failed_since(before);
            places.with.push(InputPlace { name: entry.key_span, value: entry.value.span, broken });
            node.with.insert(entry.key.clone(), template);
        }
    }

    fn needs(&mut self, value: &Part, node: &mut Node, places: &mut Places) {
        let items = match &value.kind {
            Kind::List(items) => items.as_slice(),
            Kind::Scalar(scalar) if !is_null(scalar) => std::slice::from_ref(value),
            _ => {
                self.wrong_kind(value, "`needs`", "a list of nodes");
                return;
            }
        };
        for item in items {
            if let Some(name) = self.plain_text(item, "`needs`") {
                places.needs.push(item.span);
                node.needs.push(name);
            }
        }
    }
}
