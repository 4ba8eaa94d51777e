//! CPUs and memory: who waits for them, and for how long.

use super::*;

fn wait(pools: &Pools<u32>, entry: &Entry<u32>) -> (String, Option<u32>) {
    let Entry::Waits(ticket) = entry else { panic!("it should wait") };
    let wait = pools.wait(*ticket).unwrap();
    (wait.text, wait.kept_for)
}

#[test]
fn small_attempts_do_not_starve_a_large_one() {
    let mut pools = pools();
    let (small, large) = (of(&["=1+0"]), of(&["=4+0"]));
    for who in 1..=4 {
        assert!(starts(&pools.enter(&small, who)));
    }
    assert!(!starts(&pools.enter(&large, 5)));
    for who in 1..=4 {
        assert!(!starts(&pools.enter(&small, 10 + who)));
        assert_eq!(pools.next(), None, "what is free is kept for the large one");
        pools.leave(&small, who);
    }
    assert_eq!(pools.next(), Some((large.clone(), 5)));
    assert_eq!(pools.next(), None);
    pools.leave(&large, 5);
    let all: Vec<u32> = std::iter::from_fn(|| pools.next()).map(|(_, who)| who).collect();
    assert_eq!(all, [11, 12, 13, 14]);
}

#[test]
fn what_the_first_waiter_would_not_use_is_given_to_later_ones() {
    let mut pools = pools();
    let memory = of(&["=0+6"]);
    assert!(starts(&pools.enter(&memory, 1)));
    let waits = pools.enter(&of(&["=2+4"]), 2);
    let text = "waits for 0.002 CPUs and 0 MB of memory: 0.004 of 0.004 CPUs and 0 MB of 0 MB are free";
    assert_eq!(wait(&pools, &waits), (text.into(), None));
    assert!(starts(&pools.enter(&of(&["=2+0"]), 3)), "two CPUs are not needed by the first waiter");
    let kept = pools.enter(&of(&["=1+0"]), 4);
    assert_eq!(wait(&pools, &kept).1, Some(2));
    assert!(!starts(&pools.enter(&of(&["=0+1"]), 5)));
    pools.leave(&memory, 1);
    assert_eq!(pools.next().unwrap().1, 2);
    assert_eq!(pools.next().unwrap().1, 5);
    assert_eq!(pools.next(), None);
}

#[test]
fn an_attempt_that_gives_up_frees_what_was_kept_for_it() {
    let mut pools = pools();
    let (most, all) = (of(&["=3+0"]), of(&["=4+0"]));
    assert!(starts(&pools.enter(&most, 1)));
    let Entry::Waits(ticket) = pools.enter(&all, 2) else { panic!("one CPU is free") };
    assert!(!starts(&pools.enter(&of(&["=1+0"]), 3)));
    pools.withdraw(ticket);
    assert_eq!(pools.next().unwrap().1, 3);
}

#[test]
fn a_part_is_released_once() {
    let mut pools = pools();
    let all = of(&["=4+8"]);
    assert!(starts(&pools.enter(&all, 1)));
    pools.leave(&all, 1);
    pools.leave(&all, 1);
    assert_eq!(*pools.machine.amounts().free(), Amounts { cpus: 4, memory: 8 });
}

#[test]
fn an_adopted_attempt_may_overdraw_and_others_then_wait_only_for_what_they_need() {
    let mut pools = pools();
    let large = of(&["=9+0"]);
    pools.occupy(&large, &[], 1);
    assert!(!starts(&pools.enter(&of(&["=1+1"]), 2)));
    assert!(starts(&pools.enter(&of(&["=0+1"]), 3)));
    pools.leave(&large, 1);
    assert_eq!(pools.next().unwrap().1, 2);
}

/// Returns the GPUs of an attempt, with their parts.
fn slots(pools: &Pools<u32>, who: u32) -> String {
    let slots = pools.slots(who).into_iter().map(|slot| format!("{}:{}", slot.id, slot.part));
    slots.collect::<Vec<_>>().join(" ")
}

#[test]
fn each_attempt_gets_devices_of_its_own_and_parts_share_one() {
    let mut pools = pools();
    assert!(starts(&pools.enter(&of(&["%300"]), 1)) && starts(&pools.enter(&of(&["*1"]), 2)));
    assert!(starts(&pools.enter(&of(&["%600"]), 3)) && starts(&pools.enter(&of(&["%200"]), 4)));
    let all: Vec<String> = (1..=4).map(|who| slots(&pools, who)).collect();
    assert_eq!(all, ["a:300", "b:1000", "a:600", "c:200"], "a part goes where others stay whole");
    let waits = pools.enter(&of(&["*2"]), 5);
    assert_eq!(wait(&pools, &waits), ("waits for 2 GPUs: 0 of 3 are free".into(), None));
    let kept = pools.enter(&of(&["%500"]), 6);
    assert_eq!(wait(&pools, &kept), ("waits for 0.5 of a GPU: 1 of 3 has this much free".into(), Some(5)));
    pools.leave(&of(&["*1"]), 2);
    pools.leave(&of(&["*1"]), 2);
    assert_eq!(pools.next(), None, "the device is kept for the attempt that needs two");
    pools.leave(&of(&["%200"]), 4);
    assert_eq!(pools.next(), Some((of(&["*2"]), 5)));
    assert_eq!(slots(&pools, 5), "b:1000 c:1000");
    assert_eq!(pools.next(), None);
    assert_eq!(pools.users(&of(&["*1"])[0]), Some(vec![5, 3, 1]), "those with the most first");
}

#[test]
fn a_device_of_an_adopted_attempt_is_not_given_away() {
    let mut pools = pools();
    let one = of(&["*1"]);
    let slot = |id: &str| GpuSlot { id: id.into(), uuid: None, name: None, part: 1000 };
    pools.occupy(&one, &[slot("b")], 1);
    pools.occupy(&one, &[slot("gone")], 2);
    assert!(starts(&pools.enter(&of(&["*2"]), 3)));
    assert_eq!(
        (slots(&pools, 1), slots(&pools, 2), slots(&pools, 3)),
        ("b:1000".into(), String::new(), "a:1000 c:1000".into())
    );
    assert!(!starts(&pools.enter(&one, 4)));
    pools.leave(&one, 2);
    assert_eq!(pools.next(), None);
    pools.leave(&one, 1);
    assert_eq!(pools.next().unwrap().1, 4);
    assert_eq!(slots(&pools, 4), "b:1000");
}
