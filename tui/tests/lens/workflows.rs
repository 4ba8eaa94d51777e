//! The workflows of the tests. Their gates are files beside them, so that nothing depends on timing.

/// A picture at once, then it waits for `go` or `go-SEED`, then another picture.
pub(crate) const PRINT: &str = r#"name: Print
params:
  seed: { type: int, default: 1, min: 0 }
nodes:
  sky:
    uses: image.generate
    with: { style: gradient, width: 96, height: 64, seed: "${{ params.seed }}" }
  dry:
    dir: .
    with: { seed: "${{ params.seed }}", image: "${{ sky.image }}" }
    run: |
      printf '{"type":"progress","value":0.5,"message":"drying"}\n' >> "$FANLIGHT_EVENTS"
      until [ -e go ] || [ -e "go-$seed" ]; do sleep 0.05; done
  print:
    uses: image.text
    needs: [dry]
    with: { image: "${{ sky.image }}", text: "No. ${{ params.seed }}", position: bottom }
outputs:
  print: "${{ print.image }}"
"#;

/// Fails at its second step, until there is `room`.
pub(crate) const NIGHTLY: &str = r#"name: Nightly build
nodes:
  fetch:
    run: echo fetched 120 files
  compile:
    needs: [fetch]
    dir: .
    run: |
      for n in $(seq 1 300); do echo "compiling part $n of 300"; done
      [ -e room ] || { echo "error: no space left on device" >&2; exit 7; }
      echo compiled
  upload:
    needs: [compile]
    run: echo uploaded
outputs:
  done: "${{ upload.stdout }}"
"#;

/// A picture and a number, once there is `go` or `go-SEED`.
pub(crate) const GRADE: &str = r#"name: Grade
params:
  seed: { type: int, default: 1, min: 0 }
nodes:
  sky:
    uses: image.generate
    with: { style: gradient, width: 96, height: 64, seed: "${{ params.seed }}" }
  grade:
    dir: .
    with: { seed: "${{ params.seed }}", image: "${{ sky.image }}" }
    outputs: { score: { json: score, type: int } }
    run: |
      until [ -e go ] || [ -e "go-$seed" ]; do sleep 0.05; done
      echo "{\"score\": $(( (seed * 7) % 25 + 10 ))}"
outputs:
  sky: "${{ sky.image }}"
  score: "${{ grade.score }}"
"#;
