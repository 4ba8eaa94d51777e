//! Nodes that state what they need of the machine.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Fanlight, wait_for};

const TRAIN: &str = "nodes:
  fit:
    resources: { gpus: 1 }
    run: |
      echo \"$CUDA_VISIBLE_DEVICES\" > \"$FANLIGHT_PROJECT/saw-$FANLIGHT_RUN_NUMBER\"
      until [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.1; done
";

/// Starts a daemon on a machine with two GPUs.
fn start_daemon(fanlight: &Fanlight) {
    let smi = "#!/bin/sh
case \"$1\" in
  *utilization*) echo '0, GPU-11111111-aaaa, 37, 1024'; echo '1, GPU-22222222-bbbb, [N/A], 2048' ;;
  *) while [ -e \"${0%/*}/../hung\" ]; do sleep 0.1; done
     [ -e \"${0%/*}/../lost\" ] || echo '0, GPU-11111111-aaaa, NVIDIA A100, 40960'
     echo '1, GPU-22222222-bbbb, NVIDIA A100, 40960' ;;
esac
";
    std::fs::create_dir_all(fanlight.path("bin")).unwrap();
    fanlight.file("bin/nvidia-smi", smi);
    std::fs::set_permissions(fanlight.path("bin/nvidia-smi"), Permissions::from_mode(0o700)).unwrap();
    restart_daemon(fanlight);
}

/// Starts a daemon on the machine as it is.
fn restart_daemon(fanlight: &Fanlight) {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = fanlight.command(&["daemon", "start"]);
    command.env("PATH", format!("{}:{path}", fanlight.path("bin").display()));
    assert!(command.status().unwrap().success());
}

#[test]
fn a_gpu_has_one_attempt_at_a_time_also_when_the_daemon_is_killed() {
    let fanlight = Fanlight::new();
    start_daemon(&fanlight);
    fanlight.file("train.yaml", TRAIN);
    fanlight.say(&["run", "train.yaml", "--repeat", "3", "--detach"]).exits(0);
    let saw = |run: u32| std::fs::read_to_string(fanlight.path(&format!("saw-{run}"))).unwrap_or_default();
    let waits = || fanlight.say(&["why", "train#3"]).exits(0).out;
    let wait = "train#3 fit: waits for 1 GPU: 0 of 2 are free; train#1 fit, train#2 fit use some";
    wait_for("two running attempts", || saw(1).len() + saw(2).len() == 4 && waits().contains(wait));
    assert_ne!(saw(1), saw(2));
    let shown = fanlight.say(&["show", "train#1"]).exits(0).out;
    assert!(shown.contains("GPU") && shown.contains("running"), "{shown}");

    fanlight.kill_daemon();
    start_daemon(&fanlight);
    wait_for("the reason after the restart", || waits().contains(wait));
    fanlight.file("go", "");
    fanlight.await_states(&["completed", "completed", "completed"]);
    assert!(["0\n", "1\n"].contains(&saw(3).as_str()), "{}", saw(3));
    let run = fanlight.say(&["show", "train#2", "--json"]).exits(0).json().remove(0);
    let gpu = &run["nodes"][0]["gpus"][0];
    assert_eq!((gpu["name"].as_str(), gpu["id"].as_str()), (Some("NVIDIA A100"), Some(saw(2).trim())));

    fanlight.file("more.yaml", "nodes: { a: { run: ls, resources: { gpus: 3 } } }\n");
    let refused = fanlight.say(&["run", "more.yaml"]).exits(2);
    refused.complains("node `a`: `resources` needs 3 GPUs, and this machine has 2 GPUs");
}

#[test]
fn a_driver_that_fails_once_is_asked_again() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", TRAIN).file("go", "");
    start_daemon(&fanlight);
    let smi = std::fs::read_to_string(fanlight.path("bin/nvidia-smi")).unwrap();
    fanlight.file("bin/nvidia-smi", "#!/bin/sh\necho 'no driver yet'; exit 9\n");
    let refused = fanlight.say(&["run", "train.yaml"]);
    assert!(refused.err.contains("`nvidia-smi` failed: no driver yet"), "{}", refused.err);
    fanlight.file("bin/nvidia-smi", &smi);
    fanlight.say(&["run", "train.yaml"]).exits(0);
}

#[test]
fn a_lost_device_fails_one_attempt_and_is_given_to_nobody_until_it_returns() {
    let fanlight = Fanlight::new();
    start_daemon(&fanlight);
    let train = TRAIN.replace(
        "      until",
        "      [ \"$CUDA_VISIBLE_DEVICES\" = 1 ] || [ ! -e \"$FANLIGHT_PROJECT/lost\" ] || exit 9\n      until",
    );
    fanlight.file("train.yaml", &train).file("go", "").say(&["run", "train.yaml"]).exits(0);
    std::fs::remove_file(fanlight.path("go")).unwrap();

    fanlight.file("lost", "").say(&["run", "train.yaml", "--repeat", "4", "--detach"]).exits(0);
    let why = |run: &str| fanlight.say(&["why", run]).exits(0).out;
    let wait = "train#5 fit: waits for 1 GPU: 0 of 1 are free (GPU 0 has been lost since ";
    let users = ": `nvidia-smi` no longer names it); train#3 fit uses some";
    wait_for("the reason", || why("train#5").contains(wait) && why("train#5").contains(users));
    fanlight.file("go", "").await_states(&["completed", "completed", "completed", "failed", "completed"]);

    fanlight.file("two.yaml", "nodes: { a: { run: 'true', resources: { gpus: 2 } } }\n");
    fanlight.say(&["run", "two.yaml", "--detach"]).exits(0);
    let wait = "waits for 2 GPUs: 1 of 1 is free (GPU 0 has been lost since ";
    wait_for("the reason", || why("last").contains(wait));
    fanlight.say(&["run", "train.yaml"]).exits(0);

    // The next daemon has never seen the device.
    let since = why("two#1");
    fanlight.kill_daemon();
    restart_daemon(&fanlight);
    wait_for("the reason after the restart", || why("two#1").contains(wait));
    assert_eq!(why("two#1"), since, "lost since the same time");
    fanlight.say(&["run", "two.yaml", "--detach"]).exits(0);
    fanlight.file("three.yaml", "nodes: { a: { run: 'true', resources: { gpus: 3 } } }\n");
    let refused = fanlight.say(&["run", "three.yaml"]).exits(2);
    refused.complains("node `a`: `resources` needs 3 GPUs, and this machine has 2 GPUs");
    std::fs::remove_file(fanlight.path("lost")).unwrap();
    fanlight.await_states(&["completed", "completed", "completed"]);
}

#[test]
fn an_attempt_ends_while_the_driver_hangs_and_its_devices_are_given_to_nobody() {
    let fanlight = Fanlight::new();
    start_daemon(&fanlight);
    let train = format!("{}      [ ! -e \"$FANLIGHT_PROJECT/hung\" ]\n", TRAIN.replace("gpus: 1", "gpus: 2"));
    fanlight.file("train.yaml", &train).say(&["run", "train.yaml", "--repeat", "2", "--detach"]).exits(0);
    let waits = |wait: &str| fanlight.say(&["why", "train#2"]).exits(0).out.contains(wait);
    wait_for("a running attempt", || {
        waits("train#2 fit: waits for 2 GPUs: 0 of 2 are free; train#1 fit uses")
    });
    fanlight.file("hung", "").file("go", "");
    let asked = "an attempt with GPUs 0 and 1 failed: `nvidia-smi` is asked whether they are lost";
    wait_for("the reason", || waits(&format!("waits for 2 GPUs: 0 of 2 are free ({asked})")));
    fanlight.await_states(&["running", "failed"]);
    std::fs::remove_file(fanlight.path("hung")).unwrap();
    fanlight.await_states(&["completed", "failed"]);
}

#[test]
fn a_run_waits_for_gpus_that_an_earlier_daemon_had() {
    let fanlight = Fanlight::new();
    start_daemon(&fanlight);
    fanlight.file("train.yaml", &TRAIN.replace("gpus: 1", "gpus: 2"));
    fanlight.say(&["run", "train.yaml", "--repeat", "2", "--detach"]).exits(0);
    wait_for("a running attempt", || fanlight.path("saw-1").exists());
    let smi = std::fs::read_to_string(fanlight.path("bin/nvidia-smi")).unwrap();
    fanlight.file("bin/nvidia-smi", "#!/bin/sh\necho 'no driver yet'; exit 9\n");
    fanlight.kill_daemon();
    restart_daemon(&fanlight);
    let why = || fanlight.say(&["why", "train#2"]).exits(0).out;
    let wait = "train#2 fit: waits for 2 GPUs: 0 of 0 are free (GPUs 0 and 1 have been lost since ";
    wait_for("the reason", || why().contains(wait));
    fanlight.file("go", "");
    fanlight.await_states(&["running", "completed"]);
    fanlight.file("bin/nvidia-smi", &smi);
    fanlight.await_states(&["completed", "completed"]);
    assert_eq!(std::fs::read_to_string(fanlight.path("saw-2")).unwrap().trim(), "0,1");
}

#[test]
#[cfg(target_os = "linux")]
fn the_load_of_the_gpus_of_a_command_is_measured() {
    let fanlight = Fanlight::new();
    start_daemon(&fanlight);
    fanlight.file("train.yaml", &TRAIN.replace("gpus: 1", "gpus: 2"));
    fanlight.say(&["run", "train.yaml", "--detach"]).exits(0);
    let last = |name: &str| {
        let points = fanlight.say(&["metrics", "last", "--name", name, "--json"]).exits(0).json();
        points.last().and_then(|point| point["value"].as_f64())
    };
    wait_for("the load of the second GPU", || last("system/gpu_memory/1") == Some(2048.0));
    assert_eq!((last("system/gpu/0"), last("system/gpu_memory/0")), (Some(37.0), Some(1024.0)));
    assert_eq!(last("system/gpu/1"), None, "it doesn't measure that");
    fanlight.file("go", "");
    fanlight.await_states(&["completed"]);
}
