//! `agent.command`

use fanlight_shared::media::MediaKind;
use fanlight_shared::node_type::Effects;
use fanlight_shared::types::Type;

use super::build::{Build, ty};
use super::{NodeType, Runner};

/// The largest values of a node.
const MAX_BYTES: u64 = 32 << 20;

pub(super) fn node_type() -> NodeType {
    let dir = || Type::Media(MediaKind::Dir);
    Build::new(
        "agent.command",
        "Runs a coding agent by its own command line, and shows its plan, its calls of tools, its text and its cost.",
    )
    .effects(Effects::External)
    .max_bytes(MAX_BYTES)
    .input(
        "agent",
        Type::Choice,
        "Whose JSON lines it writes: those of Claude Code, Codex or Gemini CLI, or the plain ones of the guide.",
    )
    .choices(&["claude", "codex", "gemini", "plain"])
    .input("prompt", Type::Text, "What it is asked; it has it as `$prompt` too.")
    .input("model", Type::Text, "The model; by default the agent's own.")
    .optional()
    .input(
        "command",
        Type::Text.list(),
        "The program with its first arguments; by default `claude`, `codex` or `gemini` in the `PATH`.",
    )
    .optional()
    .input("arguments", Type::Text.list(), "More arguments, such as `[--permission-mode, acceptEdits]`.")
    .optional()
    .input("project", dir(), "A folder; the agent works in a copy of it.")
    .optional()
    .input(
        "folder",
        Type::Text,
        "A folder of yours that it works in, absolute or relative to the workflow file, instead of one of its own.",
    )
    .optional()
    .input(
        "copy",
        Type::Bool,
        "Whether it works in a copy of `folder` instead, for each attempt its own.",
    )
    .default(false)
    .input(
        "worktree",
        Type::Text,
        "A revision, such as `HEAD`: it works in a work tree of the git repository of `folder`, or of the workflow file, for each attempt its own.",
    )
    .optional()
    .input("env", Type::Json, "More variables of its environment, such as its key.")
    .optional()
    .secret()
    .output("text", Type::Text, "Its answer.")
    .output("patch", ty::file(), "What it changed, for `git apply`; none where its folder is not in a git work tree.")
    .output("dir", dir(), "The folder that it worked in, unless that is yours, or a copy or work tree of yours.")
    .output("usage", Type::Json, "The models that it used: a list of provider, model, tokens, and the cost if it is known.")
    .output("exit_code", Type::Int, "The exit code of its program.")
    .output("status", Type::Text, "`completed`, `failed`, `timed out`, `cancelled` or `signal:9`.")
    .run(Runner::Command)
}
