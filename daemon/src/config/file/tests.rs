use std::path::Path;
use std::time::Duration;

use fanlight_shared::run::RunStatus;

use super::*;
use crate::config::{KeySource, ProviderKind};
use crate::secret::Source;

fn wrong(text: &str) -> String {
    parse(Path::new("/c/config.toml"), text).unwrap_err().to_string()
}

#[test]
fn every_setting_can_be_set() {
    let text = "max_concurrent_runs = 2\nkeep_values = 0\nlinger = \"5m\"\ngrace = \"500ms\"\n\
                writable = [\"/data\"]\npass_env = [\"CUDA_HOME\"]\n[pools]\ngpu = 1\ncpu = 3\n";
    let config = parse(Path::new("config.toml"), text).unwrap();
    assert_eq!((config.max_concurrent_runs, config.keep_values), (2, 0));
    assert_eq!((config.linger, config.grace), (Duration::from_secs(300), Duration::from_millis(500)));
    assert_eq!((config.pools["gpu"], config.pools["cpu"]), (1, 3));
    assert!(config.pools.contains_key("process"), "a pool that is not named keeps its default");
    assert_eq!(config.writable, [PathBuf::from("/data")]);
    let http = "[http]\nallow = [\"localhost\"]\nca_file = \"/etc/ca.pem\"\n";
    let http = parse(Path::new("config.toml"), http).unwrap().http;
    assert_eq!((http.allow, http.ca_file), (vec!["localhost".into()], Some("/etc/ca.pem".into())));
    assert_eq!(config.pass_env, ["CUDA_HOME"]);
}

#[test]
fn the_resources_of_the_machine_follow_the_rules_of_a_workflow_file() {
    let read = |text: &str| parse(Path::new("/c/config.toml"), &format!("[resources]\n{text}"));
    let settings = read("cpus = 1.5\nmemory = \"16 GiB\"").unwrap().resources;
    assert_eq!((settings.cpus, settings.memory), (Some(1500), Some(16 << 30)));
    assert_eq!(read("cpus = 8").unwrap().resources.memory, None, "what is not named comes from the system");
    for (text, why) in [
        ("cpus = 0", "`cpus` must be a number more than 0"),
        ("memory = 16", "`memory` must be at least 1 MB, got 16 B"),
        ("memory = [1]", "`memory` must be a size"),
        ("memry = \"1 GB\"", "did you mean `memory`?"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(":2:"), "{error}");
    }
    assert!(wrong("resources = 3").contains("`resources` is a table"));

    let gpus =
        read("gpus = [0, \"GPU-1f\", { id = \"2\", name = \"A100\" }]").unwrap().resources.gpus.unwrap();
    let ids: Vec<&str> = gpus.iter().map(|gpu| gpu.id.as_str()).collect();
    assert_eq!((ids, gpus[2].name.as_deref()), (vec!["0", "GPU-1f", "2"], Some("A100")));
    assert!(read("gpus = []").unwrap().resources.gpus.is_some_and(|gpus| gpus.is_empty()));
    for (text, why) in [
        ("gpus = 2", "`gpus` is a list such as"),
        ("gpus = [[1]]", "`gpus` is a list such as"),
        ("gpus = [0, 0]", "the GPU `0` is there twice"),
        ("gpus = [\"0,1\"]", "an `id` without blanks and commas"),
        ("gpus = [{ name = \"A100\" }]", "an `id` without blanks"),
        ("gpus = [{ id = 0, nme = 1 }]", "did you mean `name`?"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn pruning_needs_a_condition() {
    let text = "[prune]\nolder_than = \"30d\"\nkeep = 20\nmax_size = \"5 GB\"\nstates = [\"failed\"]\n";
    let prune = parse(Path::new("config.toml"), text).unwrap().prune.unwrap();
    assert_eq!(prune.older_than, Some(Duration::from_secs(30 * 86_400)));
    assert_eq!((prune.keep, prune.max_bytes), (Some(20), Some(5_000_000_000)));
    assert_eq!(prune.states, [RunStatus::Failed]);
    assert!(wrong("[prune]\n").contains("would delete every run"));
    assert!(wrong("[prune]\nstates = [\"running\"]").contains("`running` is not one of"));
    assert!(wrong("[prune]\nolder = \"1d\"").contains("did you mean `older_than`?"));
    assert_eq!(parse(Path::new("config.toml"), "").unwrap().prune, None);
}

#[test]
fn a_size_has_a_unit() {
    let size = |text: &str| {
        parse(Path::new("/c/config.toml"), &format!("cache_size = {text}")).map(|config| config.cache_bytes)
    };
    assert_eq!((size("\"0\""), size("\"500 MB\"")), (Ok(0), Ok(500_000_000)));
    assert_eq!((size("\"4GiB\""), size("\"20 KiB\"")), (Ok(4 << 30), Ok(20 << 10)));
    for text in ["4", "\"\"", "\"4 gigs\"", "\"-1\"", "\"1.5 GB\"", "\"99999999999 GB\""] {
        assert!(size(text).unwrap_err().to_string().contains("expected a size"), "{text}");
    }
}

#[test]
fn a_secret_has_one_source_and_a_value_in_its_place_is_not_shown() {
    let text = "[secrets]\na = \"file\"\nb = \"keyring\"\nc = { env = \"C\" }\nd = { command = [\"pass\", \"d\"] }\n";
    let sources = parse(Path::new("config.toml"), text).unwrap().secrets.sources;
    assert_eq!((&sources["a"], &sources["b"]), (&Source::File, &Source::Keyring));
    assert_eq!(sources["c"], Source::Env("C".into()));
    assert_eq!(sources["d"], Source::Command(vec!["pass".into(), "d".into()]));
    for value in
        ["\"hunter22\"", "{ env = \"A\", command = [\"a\"] }", "{ command = [] }", "{ hunter22 = 1 }", "1"]
    {
        let error = wrong(&format!("[secrets]\na = {value}\n"));
        assert!(error.contains(":2: the source of a secret is") && !error.contains("hunter22"), "{error}");
    }
    assert!(wrong("[secrets]\n\"a-b\" = \"file\"").contains("can't be the name"));
}

#[test]
fn a_provider_is_known_by_its_name_or_described() {
    let text = "[provider.openai]\nkey_env = \"MY_KEY\"\nrequests_per_minute = 60\n\
                [provider.house]\nurl = \"http://10.0.0.5:8000/v1/\"\nmodels = [\"qwen3\"]\nconcurrent = 2\n\
                [provider.house.prices]\n\"qwen3\" = { input = 0.5, output = 1 }\n";
    let config = parse(Path::new("config.toml"), text).unwrap();
    let openai = &config.providers["openai"];
    assert_eq!(openai.key, Some(KeySource::Variable("MY_KEY".into())));
    assert_eq!((openai.requests_per_minute, openai.is_original), (Some(60), true));
    let house = &config.providers["house"];
    assert_eq!((house.kind, house.url.as_str()), (ProviderKind::OpenAi, "http://10.0.0.5:8000/v1"));
    assert_eq!((house.concurrent, &house.key, house.prices["qwen3"].output), (Some(2), &None, 1.0));
    assert!(config.providers.contains_key("anthropic"), "others are known by name");
    let comfy = &config.providers["comfy"];
    assert_eq!((comfy.kind, comfy.urls().count(), comfy.concurrent), (ProviderKind::Comfy, 1, Some(1)));
    let farm = "[provider.farm]\nkind = \"comfy\"\nurls = [\"http://a:8188/\", \"http://b:8188\"]\n";
    let config = parse(Path::new("config.toml"), farm).unwrap();
    let farm = &config.providers["farm"];
    assert!(farm.urls().eq(["http://a:8188", "http://b:8188"]) && farm.concurrent == Some(2));
    assert_eq!(config.pool_sizes()["api.farm"], 2);
    let secret = "[provider.openai]\nkey = \"secrets.openai\"\n";
    let config = parse(Path::new("config.toml"), secret).unwrap();
    assert_eq!(config.providers["openai"].key, Some(KeySource::Secret("openai".into())));
}

#[test]
fn a_provider_that_is_not_well_described_is_named() {
    assert!(wrong("[provider.house]\nmodels = []").contains("`house` has no `url`"));
    assert!(wrong("[provider.House]\n").contains("`House` can't be the name"));
    assert!(wrong("[provider.house]\nurl = \"localhost\"").starts_with("/c/config.toml:2: `url` is a URL"));
    assert!(wrong("[provider.openai]\nurls = [\"http://a\"]").contains("give its `url`"));
    assert!(wrong("[provider.comfy]\nurls = []").contains("`urls` is a list"));
    assert!(wrong("[provider.comfy]\nurls = [\"http://a\", \"http://a/\"]").contains("listed twice"));
    assert!(wrong("[provider.comfy]\nurl = \"http://a\"\nurls = [\"http://b\"]").contains("both given"));
    assert!(wrong("[provider.openai]\nkind = \"antropic\"").contains("did you mean `anthropic`?"));
    assert!(wrong("[provider.openai]\nkey_env = \"sk-1\"").contains("not the key itself"));
    let error = wrong("[provider.openai]\nkey = \"sk-1\"");
    assert!(error.contains(":2: `key` names a secret") && !error.contains("sk-1"), "{error}");
    let both = wrong("[provider.openai]\nkey = \"secrets.a\"\nkey_env = \"A\"");
    assert!(both.contains("`key` and `key_env` are both given"), "{both}");
    assert!(wrong("[provider.openai]\nmodel = \"x\"").contains("did you mean `models`?"));
    assert!(wrong("[provider.openai.prices]\n\"x\" = { input = 1 }").contains("a price is"));
    assert!(wrong("[provider.openai.prices]\n\"x\" = { input = -1, output = 1 }").contains("an amount"));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_a_near_match() {
    assert_eq!(
        wrong("grace = \"1s\"\nmax_concurent_runs = 3\n"),
        "/c/config.toml:2: unknown key `max_concurent_runs` (did you mean `max_concurrent_runs`?)"
    );
    assert!(wrong("colour = 1").contains("known are max_concurrent_runs, pools"));
}

#[test]
fn bad_values_are_reported_with_their_line() {
    assert_eq!(wrong("max_concurrent_runs = 0"), "/c/config.toml:1: expected a whole number, at least 1");
    assert!(wrong("\nlinger = 600").starts_with("/c/config.toml:2: expected a duration"));
    assert!(wrong("linger = \"10 parsecs\"").contains("expected a duration"));
    assert!(wrong("writable = [\"data\"]").contains("`data` is not an absolute path"));
    assert!(wrong("[pools]\ngpu = \"one\"").starts_with("/c/config.toml:2:"));
    assert!(wrong("grace = = 1").starts_with("/c/config.toml:1:"));
}

#[test]
fn the_cap_of_the_environment_is_a_whole_number() {
    assert_eq!(cap("3"), Ok(3));
    assert!(cap("0").is_err());
    assert!(cap("many").unwrap_err().to_string().contains("`many` is not a whole number"));
}
