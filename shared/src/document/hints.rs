//! Hints for words from other workflow formats.

/// Returns the replacement for a root of another format; `path` is what follows it.
pub(crate) fn root(root: &str, path: &[&str]) -> Option<String> {
    Some(match (root, path) {
        ("steps" | "needs" | "jobs" | "nodes" | "tasks", [node, "outputs", port, ..]) => {
            format!("write `{node}.{port}`")
        }
        ("steps" | "needs" | "jobs", [node, "result" | "outcome" | "conclusion", ..]) => {
            format!("write `{node}.status`, which is `completed`, `failed` or `skipped`")
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
                "the environment is not a value; declare a param and write `params.{}`, or read it in the script",
                name.to_lowercase()
            )
        }
        ("env", []) => "the environment is not a value; declare a param".into(),
        _ => return None,
    })
}

/// Returns the replacement for a top-level key of another format.
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
        "study" | "optimize" | "hyperparameters" => "write `search:` with a `space:`",
        "env" => "write `env:` in the node that needs it",
        "title" => "write `name:`",
        "version" | "apiVersion" | "kind" => "leave this out; the version is the hash of the file",
        "defaults" => "write it in each node",
        "max_concurrent_runs" | "max_parallel" | "max-parallel" | "maxConcurrency" => {
            "write `concurrency: 2` for the runs of this workflow; the cap on all runs is in the config"
        }
        "runs-on" | "image" | "container" | "services" => "commands run on this machine; leave this out",
        "notify" | "notifications" | "on_success" | "on_failure" | "on_completion" | "hooks" | "webhook" => {
            "write `on_end:` with a `command`, a `webhook` or `notify: true`"
        }
        "edges" => "edges come from `${{ node.port }}` in the nodes; leave this out",
        "results" | "returns" => "write `outputs:`",
        "secrets" => {
            "name a secret where it is used: `env: { TOKEN: \"${{ secrets.token }}\" }`; leave this out"
        }
        _ => return None,
    })
}

/// Returns the replacement for a time limit of another format, converted from the given value.
pub(crate) fn timeout(key: &str, value: &str) -> Option<String> {
    let unit = match key.replace('_', "-").as_str() {
        "timeout-minutes" => "m",
        "timeout-seconds" => "s",
        _ => return None,
    };
    value.parse::<f64>().is_ok().then(|| format!("write `timeout: {value}{unit}`"))
}

/// Returns the replacement for a node key of another format.
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
        "secrets" => {
            "name a secret where it is used: `env: { TOKEN: \"${{ secrets.token }}\" }`; leave this out"
        }
        "cache" => "write `remember: true`, or `remember: { files: [data.csv] }`",
        "priority" | "queue" => "write `pool:`",
        "cpus" | "cpu" | "cores" | "threads" | "memory" | "mem" | "ram" | "gpus" | "gpu" | "disk" => {
            "write `resources: { cpus: 2, memory: 4GB }`"
        }
        "mutex" | "semaphore" | "synchronization" | "resource_group" => "write `lock: name`",
        "passenv" | "passEnv" | "pass-env" => "write `pass_env: [NAME]`",
        "permissions" | "services" | "steps" => "there is no such thing here; leave this out",
        _ => return None,
    })
}

/// Returns the replacement for a param key of another format.
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

/// Returns the replacement for a type of another format.
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

/// Returns the replacement for a `uses:` of another format.
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
