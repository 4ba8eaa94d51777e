#!/usr/bin/env bash
# The plugin NAME: change its node type, and add others. `fanlight docs plugins` describes the protocol. Needs jq.
set -euo pipefail
command -v jq >/dev/null || { echo "there is no program jq" >&2; exit 1; }

describe() {
    cat <<'JSON'
{
  "node_types": [
    {
      "name": "NAME.repeat",
      "summary": "Repeats a text.",
      "effects": "none",
      "inputs": {
        "text": { "type": "text", "summary": "The text." },
        "times": { "type": "int", "summary": "How often it is repeated.", "default": 2, "min": 1, "max": 1000 }
      },
      "outputs": { "text": { "type": "text", "summary": "The repeated text." } }
    }
  ]
}
JSON
}

# Prints the outputs as JSON; the request is in $line, and its id in $id.
repeat() {
    local text times parts=() n
    # The dot keeps line ends at the end of the text.
    text=$(jq -j '.params.inputs.text + "."' <<<"$line")
    times=$(jq -r .params.inputs.times <<<"$line")
    for ((n = 1; n <= times; n++)); do
        parts+=("${text%.}")
    done
    report progress "{\"value\": 1}"
    printf '%s' "${parts[*]}" | jq -Rs '{ text: . }'
}

say() { jq -c '{ jsonrpc: "2.0" } + .' >&4; }
report() { jq -n --arg method "$1" --argjson id "$id" --argjson fields "$2" '{ $method, params: ({ $id } + $fields) }' | say; }
answer() { jq --argjson id "$id" '{ $id, result: . }' | say; }
refuse() { jq -n --argjson id "$id" --arg message "$1" '{ $id, error: { code: 1, $message } }' | say; }

# Answers with the outputs that a function prints.
execute() {
    local outputs status
    # In `if outputs=$(…)`, bash would continue after a command that failed.
    set +e
    outputs=$(set -e; "$1")
    status=$?
    set -e
    if [ "$status" = 0 ]; then jq '{ outputs: . }' <<<"$outputs" | answer; else refuse "it failed"; fi
}

while IFS= read -r line <&3; do
    id=$(jq -c .id <<<"$line")
    case $(jq -r .method <<<"$line") in
        hello) echo '{ "protocol": 1, "name": "NAME" }' | answer ;;
        describe) describe | answer ;;
        execute)
            # This shell takes nothing while it works, so a cancel comes too late: keep the work short.
            case $(jq -r .params.type <<<"$line") in
                NAME.repeat) execute repeat ;;
                *) refuse "there is no such node type" ;;
            esac
            ;;
        cancel) ;;
        *) [ "$id" = null ] || refuse "there is no such method" ;;
    esac
done
