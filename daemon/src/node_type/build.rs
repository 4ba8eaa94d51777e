//! Builds a [`NodeType`] in the order of its documentation.

use fanlight_shared::node_type::{Code, Effects, InputSpec, NodeTypeSpec, OutputSpec, Place};
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use super::{NodeType, Runner, Safe};

/// The maximum total size of a node's values, unless its type sets another.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// The builder of a node type. `default`, `optional`, `range`, `choices`, `code` and `secret` apply to the most recent
/// input.
pub(super) struct Build(NodeTypeSpec, Option<Safe>);

impl Build {
    /// Starts a node type with its name and one sentence.
    pub(super) fn new(name: &str, summary: &str) -> Self {
        let spec = NodeTypeSpec {
            name: name.to_owned(),
            summary: summary.to_owned(),
            version: 1,
            effects: Effects::None,
            place: Place::Inline,
            source: false,
            max_bytes: MAX_BYTES,
            inputs: IndexMap::new(),
            more_inputs: false,
            outputs: IndexMap::new(),
        };
        Self(spec, None)
    }

    /// Sets its side effects; `none` by default.
    pub(super) fn effects(mut self, effects: Effects) -> Self {
        self.0.effects = effects;
        self
    }

    /// A node whose input has one of these values changes nothing outside the run, whatever `effects` says.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(super) fn safe(mut self, input: &str, values: &[&str]) -> Self {
        let values = values.iter().map(ToString::to_string).collect();
        self.1 = Some(Safe { input: input.to_owned(), values });
        self
    }

    /// Marks its outputs as files that the user already has, not products.
    pub(super) fn source(mut self) -> Self {
        self.0.source = true;
        self
    }

    /// Sets the maximum total size of its values; 16 MiB by default.
    pub(super) fn max_bytes(mut self, bytes: u64) -> Self {
        self.0.max_bytes = bytes;
        self
    }

    /// Adds an input, which is required unless `default` or `optional` follows.
    pub(super) fn input(mut self, name: &str, ty: Type, summary: &str) -> Self {
        let input = InputSpec {
            ty,
            summary: summary.to_owned(),
            default: None,
            optional: false,
            min: None,
            max: None,
            choices: Vec::new(),
            code: None,
            secret: false,
        };
        self.0.inputs.insert(name.to_owned(), input);
        self
    }

    fn last(mut self, change: impl FnOnce(&mut InputSpec)) -> Self {
        if let Some((_, input)) = self.0.inputs.last_mut() {
            change(input);
        }
        self
    }

    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.last(|input| input.default = Some(value))
    }

    pub(super) fn optional(self) -> Self {
        self.last(|input| input.optional = true)
    }

    pub(super) fn range(self, min: f64, max: f64) -> Self {
        self.last(|input| (input.min, input.max) = (Some(min), Some(max)))
    }

    pub(super) fn choices(self, choices: &[&str]) -> Self {
        self.last(|input| input.choices = choices.iter().map(ToString::to_string).collect())
    }

    /// Declares that its text is code.
    pub(super) fn code(self, code: Code) -> Self {
        self.last(|input| input.code = Some(code))
    }

    /// Declares that it may be built from secrets: the node only sends it, and its outputs don't contain it.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(super) fn secret(self) -> Self {
        self.last(|input| input.secret = true)
    }

    /// Accepts inputs with other names too.
    pub(super) fn more_inputs(mut self) -> Self {
        self.0.more_inputs = true;
        self
    }

    pub(super) fn output(mut self, name: &str, ty: Type, summary: &str) -> Self {
        self.0.outputs.insert(name.to_owned(), OutputSpec { ty, summary: summary.to_owned() });
        self
    }

    /// Finishes with its runner, which determines where it runs.
    pub(super) fn run(self, run: Runner) -> NodeType {
        NodeType { safe: self.1, ..NodeType::new(self.0, run) }
    }
}

/// Shorthands for port types.
pub(super) mod ty {
    use fanlight_shared::media::MediaKind;
    use fanlight_shared::types::Type;

    pub(in super::super) fn image() -> Type {
        Type::Media(MediaKind::Image)
    }
    pub(in super::super) fn file() -> Type {
        Type::Media(MediaKind::File)
    }
}
