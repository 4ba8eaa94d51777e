//! `resources:`.

use super::reading::Reading;
use super::template::Plain;
use super::yaml::Node;
use crate::problem::Problem;
use crate::resources;
use crate::value::cut;
use crate::workflow::{Resources, Template};

impl Reading<'_> {
    pub(super) fn resources(&mut self, node: &Node) -> Resources {
        let mut read = Resources::default();
        let wanted = "a map such as `{ cpus: 2, memory: 4GB }`";
        let Some(entries) = self.map(node, "`resources`", wanted) else { return read };
        for entry in entries {
            let key = entry.key.as_str();
            let Some(known) = resources::RESOURCE_KEYS.into_iter().find(|known| *known == key) else {
                self.unknown_key(entry, "`resources`", &resources::RESOURCE_KEYS, foreign(key));
                continue;
            };
            let before = self.problems.len();
            let template = self.template(&entry.value, Plain::Typed);
            if self.failed_since(before) {
                continue;
            }
            match &template {
                Template::Literal(value) => {
                    if let Err(why) = resources::Resources::default().set(known, value) {
                        let message = format!("`resources.{known}` {why}");
                        self.report(Problem::error("bad_resource", entry.value.span, message));
                        continue;
                    }
                }
                Template::Expression(_) | Template::Text(_) => {}
                Template::List(_) | Template::Object(_) => {
                    self.wrong_kind(&entry.value, &format!("`resources.{known}`"), "one value");
                    continue;
                }
            }
            read.0.push((known, template));
        }
        if entries.is_empty() {
            let hint = format!("add one of {}, or remove it", resources::RESOURCE_KEYS.join(", "));
            self.error_hint("bad_resource", node.span, "`resources` asks for nothing", hint);
        }
        read
    }
}

/// Returns the replacement for a resource of another format.
fn foreign(key: &str) -> Option<&'static str> {
    Some(match cut(key, 60).to_lowercase().replace('-', "_").as_str() {
        "cpu" | "cores" | "core" | "threads" | "vcpus" | "ncpus" | "cpus_per_task" => "write `cpus: 2`",
        "mem" | "ram" | "mem_mb" | "memory_mb" | "mem_gb" | "memory_gb" => "write `memory: 4GB`",
        "gpu" | "accelerators" | "gres" | "gpus_per_task" | "num_gpus" => "write `gpus: 1`",
        "timeout" | "walltime" | "runtime" | "time_limit" | "time_min" => "write `time: 30m`",
        "storage" | "scratch" | "tmp" | "disk_mb" | "disk_gb" | "ephemeral_storage" => "write `disk: 10GB`",
        "pool" | "queue" | "partition" => "write `pool:` beside `resources:`",
        "limits" | "requests" => "write the resources directly below: `resources: { cpus: 2 }`",
        _ => return None,
    })
}
