//! Words of other formats, and what Fanlight says for them.

/// A piece of an expression that another language would understand.
pub(crate) struct Foreign {
    /// Where it begins, in bytes of the expression.
    pub(crate) at: usize,
    /// How long it is, in bytes.
    pub(crate) len: usize,
    /// What is wrong.
    pub(crate) message: String,
    /// What to write.
    pub(crate) hint: String,
}

/// The first operator of another language outside quotes.
pub(crate) fn foreign_operator(source: &str) -> Option<Foreign> {
    const WORDS: [(&str, &str); 9] = [
        ("&&", "write `and`"),
        ("||", "write `or`"),
        ("===", "write `==`"),
        ("!==", "write `!=`"),
        ("!", "write `not`"),
        ("?.", "write `.`; absent values pass through by themselves"),
        ("??", "write `first(a.x, b.x)`, or the filter `default`"),
        ("?", "write `a if condition else b`"),
        ("..", "a range is `range(1, 7)`, which ends before its second number"),
    ];
    let mut quote = None;
    let mut skip_to = 0;
    for (at, character) in source.char_indices() {
        if at < skip_to {
            continue;
        }
        match (quote, character) {
            (Some(open), it) if it == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, _) => {
                let rest = &source[at..];
                if rest.starts_with("!=") && !rest.starts_with("!==") {
                    skip_to = at + 2;
                    continue;
                }
                if let Some((word, hint)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
                    let message = format!("`{word}` is not an operator here");
                    return Some(Foreign { at, len: word.len(), message, hint: (*hint).to_owned() });
                }
            }
        }
    }
    None
}

/// The filter that does what a method of another language does.
pub(crate) fn method(name: &str) -> Option<&'static str> {
    Some(match name {
        "upper" | "toUpperCase" => "upper",
        "lower" | "toLowerCase" => "lower",
        "trim" | "strip" => "trim",
        "split" => "split(\",\")",
        "join" => "join(\",\")",
        "replace" => "replace(\"old\", \"new\")",
        "len" | "length" | "count" | "size" => "length",
        "toString" | "to_string" => "string",
        "items" | "entries" => "items",
        "map" => "map(attribute=\"field\")",
        "sort" | "sorted" => "sort",
        _ => return None,
    })
}

/// What to write for a function of another language.
pub(crate) fn function(name: &str) -> Option<String> {
    let filter = match name {
        "len" | "length" | "size" | "count" => "length",
        "max" => "max",
        "min" => "min",
        "sum" => "sum",
        "sorted" | "sort" => "sort",
        "str" | "string" => "string",
        "int" => "int",
        "float" => "float",
        "round" => "round",
        "join" => "join(\",\")",
        "toJSON" | "tojson" | "json" => "tojson",
        "format" => "format(…)",
        "upper" => "upper",
        "lower" => "lower",
        "fromJSON" => {
            return Some("a value keeps its type here; for a command declare `json:` in `outputs`".into());
        }
        "contains" => return Some("write `\"part\" in text`".into()),
        "startsWith" => return Some("write `text is startingwith(\"part\")`".into()),
        "endsWith" => return Some("write `text is endingwith(\"part\")`".into()),
        "hashFiles" | "secret" | "env" => return None,
        "cancelled" => {
            return Some(
                "a cancelled run starts nothing more; the words are `success()`, `failure()`, `always()`"
                    .into(),
            );
        }
        _ => return None,
    };
    Some(format!("it is a filter: `value|{filter}`"))
}

/// What to say for a bare word in an expression that looks like something else.
pub(crate) fn bare_word(word: &str) -> Option<String> {
    Some(match word {
        "True" => "write `true`".into(),
        "False" => "write `false`".into(),
        "null" | "None" | "nil" | "undefined" => "write `none`".into(),
        "yes" | "on" => "write `true`".into(),
        "no" | "off" => "write `false`".into(),
        _ => return None,
    })
}

/// What to write for a root of another format; `path` is what stands behind it.
pub(crate) fn root(root: &str, path: &[&str]) -> Option<String> {
    Some(match (root, path) {
        ("steps" | "needs" | "jobs" | "nodes" | "tasks", [node, "outputs", port, ..]) => {
            format!("write `{node}.{port}`")
        }
        ("steps" | "needs" | "jobs", [node, "result" | "outcome" | "conclusion", ..]) => {
            format!(
                "for a command write `{node}.status`; for whether all went well `success()` or `failure()`"
            )
        }
        ("steps" | "needs" | "jobs" | "nodes" | "tasks", [node, port, ..]) => {
            format!("write `{node}.{port}`")
        }
        ("steps" | "needs" | "jobs" | "nodes" | "tasks", _) => {
            "name the node and its port: `node.port`".into()
        }
        (
            "inputs" | "matrix" | "vars" | "input" | "param" | "config" | "parameters" | "workflow",
            [name, ..],
        ) => {
            format!("write `params.{name}`")
        }
        ("inputs" | "matrix" | "vars" | "parameters", []) => "write `params.name`".into(),
        ("each", ["value" | "item", ..]) | ("it" | "this" | "element", _) => "write `item`".into(),
        ("each", ["index" | "key", ..]) | ("loop" | "i" | "idx", _) => "write `index`".into(),
        ("github" | "gitlab", ["run_id" | "run_number", ..]) => "write `run.id` or `run.number`".into(),
        ("github" | "gitlab" | "runner" | "job", _) => {
            "there is no such context here; `run` has `id`, `number`, `label` and `workflow`".into()
        }
        ("env", [name, ..]) => {
            format!(
                "the environment is no value; declare a param and write `params.{}`, or read it in the script",
                name.to_lowercase()
            )
        }
        ("env", []) => "the environment is no value; declare a param".into(),
        _ => return None,
    })
}

/// What to write for a key of another format at the top of the file.
pub(crate) fn top_key(key: &str) -> Option<&'static str> {
    Some(match key {
        "jobs" | "steps" | "tasks" | "stages" | "pipeline" | "rules" => {
            "write `nodes:` with one entry per node, by name; edges come from `${{ node.port }}`"
        }
        "on" | "true" | "trigger" | "triggers" | "schedule" => {
            "a workflow is started by `fanlight run`; leave this out"
        }
        "with" | "inputs" | "parameters" | "args" | "variables" | "vars" | "config" => {
            "write `params:` with a type for each"
        }
        "strategy" | "sweep" => "write `matrix: { seed: 1..6 }`",
        "env" => "write `env:` in the node that needs it",
        "title" => "write `name:`",
        "version" | "apiVersion" | "kind" => "leave this out; the version is the hash of the file",
        "defaults" => "write it in each node",
        "max_concurrent_runs" | "max_parallel" | "max-parallel" | "maxConcurrency" => {
            "write `concurrency: 2` for the runs of this workflow; the cap on all runs is in the config"
        }
        "runs-on" | "image" | "container" | "services" => "commands run on this machine; leave this out",
        "edges" => "edges come from `${{ node.port }}` in the nodes; leave this out",
        "results" | "returns" => "write `outputs:`",
        _ => return None,
    })
}

/// What to write for a key of another format in a node.
pub(crate) fn node_key(key: &str) -> Option<&'static str> {
    Some(match key {
        "continue-on-error" | "continue_on_error" | "ignore_errors" | "allow-failure" => {
            "write `allow_failure: true`"
        }
        "working-directory" | "working_directory" | "workdir" | "cwd" | "workingDir" => {
            "write `dir:`, a folder relative to this file"
        }
        "timeout-minutes" | "timeout_minutes" | "timeout-seconds" | "time_limit" => "write `timeout: 5m`",
        "strategy" | "matrix" => {
            "write `each:` for a list within one run, or `matrix:` at the top for a sweep"
        }
        "for_each" | "foreach" | "loop" | "with_items" | "forEach" | "map" | "scatter" => "write `each:`",
        "depends_on" | "dependsOn" | "depends-on" | "after" | "dependencies" => {
            "write `needs: [node]`; what a node reads by `${{ node.port }}` it waits for anyway"
        }
        "when" | "condition" | "only" => "write `if:`",
        "type" | "kind" | "class_type" | "node" | "action" | "module" => "write `uses:`",
        "inputs" | "params" | "parameters" | "args" | "arguments" | "input" => "write `with:`",
        "script" | "shell_command" | "bash" | "sh" | "command" | "exec" => {
            "write `run:` for a script, or `cmd: [program, argument]` without a shell"
        }
        "retries" | "max_attempts" | "attempts" => "write `retry: { times: 3 }`",
        "environment" => "write `env:`",
        "output" | "artifacts" | "produces" => "write `outputs:`",
        "id" | "name" | "title" => "the node's name is its key under `nodes:`; leave this out",
        "runs-on" | "image" | "container" => "commands run on this machine; leave this out",
        "cache" => "write `remember:`, which is not in this version",
        "priority" | "resources" | "queue" => "write `pool:`",
        "mutex" | "semaphore" | "synchronization" | "resource_group" => "write `lock: name`",
        "passenv" | "passEnv" | "pass-env" => "write `pass_env: [NAME]`",
        "permissions" | "services" | "steps" => "there is no such thing here; leave this out",
        _ => return None,
    })
}

/// What to write for a key of another format in a param.
pub(crate) fn param_key(key: &str) -> Option<&'static str> {
    Some(match key {
        "required" | "optional" => "a param without `default` is required; leave this out",
        "options" | "enum" | "values" | "allowed" => "write `choices:`",
        "minimum" | "gte" | "from" => "write `min:`",
        "maximum" | "lte" | "to" => "write `max:`",
        "help" | "doc" | "desc" | "title" | "label" => "write `description:`",
        "value" => "write `default:`",
        _ => return None,
    })
}

/// What to write for a type of another format.
pub(crate) fn type_word(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "string" | "str" | "textarea" => "text",
        "integer" | "long" | "i64" => "int",
        "number" | "double" | "real" | "f64" => "float",
        "boolean" => "bool",
        "enum" | "select" | "option" => "choice",
        "object" | "dict" | "map" | "record" => "json",
        "path" | "blob" | "binary" => "file",
        "folder" | "directory" => "dir",
        "picture" | "png" | "jpeg" | "jpg" => "image",
        "sound" | "wav" | "mp3" => "audio",
        "array" | "list" | "string[]" => "list<text>",
        "int[]" => "list<int>",
        _ => return None,
    })
}

/// What to say for a `uses:` of another format.
pub(crate) fn uses(name: &str) -> Option<&'static str> {
    if name.contains('@')
        || name.starts_with("./")
        || name.contains("actions/")
        || name.starts_with("docker:")
    {
        return Some(
            "actions of GitHub don't run here; `uses:` names a node type (see `fanlight nodes`), a program is `run:` or `cmd:`",
        );
    }
    match name {
        "bash" | "sh" | "shell" | "script" | "command" => {
            Some("write `run:` with the script instead of `uses:`")
        }
        _ => None,
    }
}
