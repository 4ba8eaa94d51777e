//! Mixes.

use super::*;

#[test]
fn a_mix_of_other_rates_and_channels_is_converted_to_the_highest() {
    let mut studio = Studio::new();
    let low = studio.generated(&[("rate", Value::Int(8000)), ("seconds", Value::Float(0.5))]);
    let high = studio.generated(&[("rate", Value::Int(16_000)), ("channels", Value::Int(2))]);
    let given = [
        ("audios", Value::List(vec![low.clone(), high.clone()])),
        ("starts", Value::List(vec![Value::Float(0.0), Value::Float(0.25)])),
        ("levels", Value::List(vec![Value::Float(-6.0), Value::Float(0.0)])),
    ];
    let made = studio.run("audio.mix", &given).unwrap();
    let (shape, samples) = studio.samples(&made["audio"]);
    assert_eq!((shape.rate, shape.channels, samples.len()), (16_000, 2, 16_000));
    assert_eq!((&made["gain"], &made["seconds"]), (&Value::Float(0.0), &Value::Float(0.5)));
    assert!((peak(&samples[2000..6000]) - 0.126).abs() < 0.002, "{}", peak(&samples[2000..6000]));
    let wrong = [("audios", Value::List(vec![low])), ("levels", Value::List(vec![]))];
    assert!(studio.run("audio.mix", &wrong).unwrap_err().contains("`audios` has 1 items and `levels` has 0"));
    assert!(studio.run("audio.mix", &[("audios", Value::List(vec![]))]).unwrap_err().contains("is empty"));
}

#[test]
fn a_mix_that_is_too_loud_is_lowered_or_refused_never_cut_off() {
    let mut studio = Studio::new();
    let loud = studio.generated(&[("level", Value::Float(0.0))]);
    let both = Value::List(vec![loud.clone(), loud]);
    let made = studio.run("audio.mix", &[("audios", both.clone())]).unwrap();
    let gain = made["gain"].as_float().unwrap();
    assert!((gain + 6.02).abs() < 0.01, "{gain}");
    assert!(peak(&studio.samples(&made["audio"]).1) > 0.99);
    let refused = studio.run("audio.mix", &[("audios", both), ("fit", false.into())]).unwrap_err();
    assert!(refused.starts_with("the mix exceeds full scale by 6.02 dB"), "{refused}");
}

#[test]
fn many_sounds_are_joined_with_one_open_at_a_time_and_a_mix_has_a_limit() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[("rate", Value::Int(8000)), ("seconds", Value::Float(0.01))]);
    let many = Value::List(vec![tone; 300]);
    let made = studio.run("audio.concat", &[("audios", many.clone())]).unwrap();
    assert!((made["seconds"].as_float().unwrap() - 3.0).abs() < 0.001);
    let error = studio.run("audio.mix", &[("audios", many)]).unwrap_err();
    assert!(error.starts_with("`audios` has 300 sounds; at most 64 are mixed at once"), "{error}");
}
