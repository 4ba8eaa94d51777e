//! What corresponds to what: the node types of NodeTool, with their names of earlier versions, and the widgets of
//! ComfyUI's nodes, of which its editor stores the values without names.

/// How a node type of NodeTool is converted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A param of this type.
    Param(&'static str),
    /// An output of the workflow.
    Output,
    /// A note for people.
    Note,
    /// Nothing: it only arranges the picture.
    Nothing,
    /// Its input under another name.
    Same,
    /// The items of its input, one after the other.
    Items,
    /// All items as a list.
    Collect,
    /// A template with inputs of its own.
    Template,
    /// A list of all its connected inputs.
    List(&'static str),
    /// One of two outputs, by a condition.
    If,
    /// Code with inputs and outputs of its own.
    Code,
    /// A node.
    Node,
}

/// A node type of NodeTool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Its names, without `nodetool.`.
    pub(super) names: &'static [&'static str],
    pub(super) kind: Kind,
    /// Our type.
    pub(super) uses: &'static str,
    /// Names of inputs: theirs and ours.
    pub(super) inputs: &'static [(&'static str, &'static str)],
    /// Names of outputs: theirs and ours.
    pub(super) outputs: &'static [(&'static str, &'static str)],
    /// Inputs of ours with a fixed text.
    pub(super) fixed: &'static [(&'static str, &'static str)],
    /// The param with its model, if it asks one.
    pub(super) model: Option<&'static str>,
}

const NONE: Row =
    Row { names: &[], kind: Kind::Node, uses: "", inputs: &[], outputs: &[], fixed: &[], model: None };

const fn only(names: &'static [&'static str], kind: Kind) -> Row {
    Row { names, kind, ..NONE }
}

const fn node(
    names: &'static [&'static str],
    uses: &'static str,
    inputs: &'static [(&'static str, &'static str)],
    outputs: &'static [(&'static str, &'static str)],
) -> Row {
    Row { names, uses, inputs, outputs, ..NONE }
}

/// The node types of NodeTool.
pub(super) const NODETOOL: &[Row] = &[
    only(
        &[
            "input.StringInput",
            "input.TextInput",
            "input.FilePathInput",
            "input.ColorInput",
            "constant.String",
        ],
        Kind::Param("text"),
    ),
    only(&["input.IntegerInput", "constant.Integer"], Kind::Param("int")),
    only(&["input.FloatInput", "constant.Float"], Kind::Param("float")),
    only(&["input.BooleanInput", "constant.Bool", "constant.Boolean"], Kind::Param("bool")),
    only(&["input.SelectInput", "constant.Select"], Kind::Param("choice")),
    only(&["input.ImageInput", "constant.Image"], Kind::Param("image")),
    only(&["input.AudioInput", "constant.Audio"], Kind::Param("audio")),
    only(&["input.VideoInput", "constant.Video"], Kind::Param("video")),
    only(&["input.DocumentInput", "input.DocumentFileInput", "constant.Document"], Kind::Param("file")),
    only(&["input.StringListInput", "input.TextListInput", "constant.TextList"], Kind::Param("list<text>")),
    only(&["input.ImageListInput", "constant.ImageList"], Kind::Param("list<image>")),
    only(&["input.AudioListInput", "constant.AudioList"], Kind::Param("list<audio>")),
    only(&["input.VideoListInput", "constant.VideoList"], Kind::Param("list<video>")),
    only(&["input.ValueInput"], Kind::Param("json")),
    only(&["constant.JSON", "constant.List", "constant.Dict"], Kind::Param("json")),
    only(
        &[
            "output.Output",
            "output.StringOutput",
            "output.TextOutput",
            "output.IntegerOutput",
            "output.FloatOutput",
            "output.BooleanOutput",
            "output.ImageOutput",
            "output.AudioOutput",
            "output.VideoOutput",
            "output.ListOutput",
            "output.DocumentOutput",
            "workflows.base_node.Preview",
        ],
        Kind::Output,
    ),
    only(&["workflows.base_node.Comment"], Kind::Note),
    only(&["workflows.base_node.Group"], Kind::Nothing),
    only(&["control.Reroute", "control.Tap"], Kind::Same),
    only(&["control.ForEach"], Kind::Items),
    only(&["control.Collect"], Kind::Collect),
    Row {
        kind: Kind::If,
        ..node(
            &["control.If"],
            "control.switch",
            &[("condition", "value"), ("value", "input")],
            &[("if_true", "matched"), ("if_false", "default")],
        )
    },
    node(
        &["control.Switch"],
        "control.switch",
        &[("value", "value"), ("cases", "cases"), ("input", "input")],
        &[("matched", "matched"), ("default", "default"), ("index", "index")],
    ),
    Row { kind: Kind::Code, ..node(&["code.Code"], "code.js", &[("code", "code")], &[]) },
    Row {
        kind: Kind::Template,
        ..node(
            &["text.Prompt", "text.Template", "text.FormatText"],
            "text.template",
            &[("prompt", "template"), ("template", "template"), ("string", "template")],
            &[("output", "text")],
        )
    },
    Row { kind: Kind::List("items"), ..node(&["text.Concat"], "text.join", &[], &[("output", "text")]) },
    node(
        &["text.Join"],
        "text.join",
        &[("strings", "items"), ("separator", "separator")],
        &[("output", "text")],
    ),
    Row {
        model: Some("model"),
        ..node(
            &["agents.Agent"],
            "llm.chat",
            &[
                ("prompt", "prompt"),
                ("system", "system"),
                ("image", "images"),
                ("audio", "audio"),
                ("max_tokens", "max_tokens"),
            ],
            &[("text", "text")],
        )
    },
    Row {
        model: Some("model"),
        ..node(
            &["agents.Classifier"],
            "llm.classify",
            &[("text", "text"), ("categories", "categories")],
            &[("output", "category")],
        )
    },
    Row {
        kind: Kind::Node,
        model: Some("model"),
        ..node(
            &["generators.ListGenerator"],
            "llm.list",
            &[("prompt", "prompt")],
            &[("item", "items"), ("output", "items")],
        )
    },
    Row {
        model: Some("image_model"),
        ..node(&["image.TextToImage"], "image.create", &[("prompt", "prompt")], &[("output", "image")])
    },
    Row {
        fixed: &[("provider", "offline")],
        ..node(&["fake.GenerateImage"], "image.create", &[("prompt", "prompt")], &[("output", "image")])
    },
    Row {
        model: Some("image_model"),
        ..node(
            &["image.ImageToImage"],
            "image.edit",
            &[("image", "image"), ("prompt", "prompt")],
            &[("output", "image")],
        )
    },
    Row {
        fixed: &[("mode", "stretch")],
        ..node(
            &["image.Resize"],
            "image.resize",
            &[("image", "image"), ("width", "width"), ("height", "height")],
            &[("output", "image")],
        )
    },
    Row {
        fixed: &[("mode", "fit")],
        ..node(
            &["image.Fit"],
            "image.resize",
            &[("image", "image"), ("width", "width"), ("height", "height")],
            &[("output", "image")],
        )
    },
    Row {
        model: Some("speech_model"),
        ..node(
            &["audio.TextToSpeech"],
            "audio.speak",
            &[("text", "text"), ("speed", "speed")],
            &[("audio", "audio")],
        )
    },
    Row {
        model: Some("transcript_model"),
        ..node(
            &["text.AutomaticSpeechRecognition"],
            "audio.transcribe",
            &[("audio", "audio"), ("language", "language")],
            &[("text", "text"), ("output", "text")],
        )
    },
    node(
        &["audio.Trim"],
        "audio.trim",
        &[("audio", "audio"), ("start", "start"), ("end", "end")],
        &[("output", "audio")],
    ),
    Row {
        kind: Kind::List("audios"),
        ..node(&["audio.Concat"], "audio.concat", &[], &[("output", "audio")])
    },
    Row {
        kind: Kind::List("audios"),
        ..node(&["audio.OverlayAudio"], "audio.mix", &[], &[("output", "audio")])
    },
    node(&["audio.RemoveSilence"], "audio.silence", &[("audio", "audio")], &[("output", "audio")]),
    node(&["lib.pdf.ExtractText"], "pdf.text", &[("pdf", "file")], &[("output", "text")]),
    node(
        &["audio.FadeIn"],
        "audio.fade",
        &[("audio", "audio"), ("duration", "fade_in")],
        &[("output", "audio")],
    ),
    node(
        &["audio.FadeOut"],
        "audio.fade",
        &[("audio", "audio"), ("duration", "fade_out")],
        &[("output", "audio")],
    ),
    node(&["video.ExtractAudio"], "video.extract_audio", &[("video", "video")], &[("output", "audio")]),
    node(
        &["video.AddAudio"],
        "video.add_audio",
        &[("video", "video"), ("audio", "audio")],
        &[("output", "video")],
    ),
    Row {
        model: Some("video_model"),
        ..node(
            &["video.TextToVideo"],
            "video.create",
            &[("prompt", "prompt"), ("duration", "seconds")],
            &[("output", "video")],
        )
    },
    Row {
        model: Some("video_model"),
        ..node(
            &["video.ImageToVideo"],
            "video.create",
            &[("image", "image"), ("prompt", "prompt"), ("duration", "seconds")],
            &[("output", "video")],
        )
    },
    node(
        &["video.Trim"],
        "video.trim",
        &[("video", "video"), ("start_time", "start"), ("end_time", "end")],
        &[("output", "video")],
    ),
];

/// The types of NodeTool's values and ours. Code has no files here.
pub(super) const TYPES: &[(&str, &str)] = &[
    ("str", "text"),
    ("int", "int"),
    ("float", "float"),
    ("bool", "bool"),
    ("dict", "json"),
    ("json", "json"),
    ("list", "list<any>"),
    ("any", "any"),
];

/// What the code of NodeTool may do, and code here can't.
pub(super) const NOT_IN_CODE: &[&str] =
    &["fetch(", "import ", "import(", "require(", "secrets.", "process.", "setTimeout(", "Math.random("];

/// The outputs of NodeTool that are read item by item.
pub(super) const STREAMS: &[(&str, &str)] = &[("llm.list", "item")];

/// Properties of NodeTool that change nothing here.
pub(super) const IGNORED: &[&str] = &[
    "model",
    "max_turns",
    "thread_id",
    "name",
    "description",
    "dynamic_properties",
    "dynamic_outputs",
    "sync_mode",
];

/// The names of providers: those of NodeTool and ours.
pub(super) const PROVIDERS: &[(&str, &str)] = &[
    ("anthropic", "anthropic"),
    ("deepseek", "deepseek"),
    ("gemini", "gemini"),
    ("groq", "groq"),
    ("llama_cpp", "llamacpp"),
    ("lmstudio", "lmstudio"),
    ("mistral", "mistral"),
    ("ollama", "ollama"),
    ("openai", "openai"),
    ("openrouter", "openrouter"),
    ("together", "together"),
    ("vllm", "vllm"),
    ("xai", "xai"),
];

/// The widgets of ComfyUI's nodes, in the order of their values.
pub(super) const WIDGETS: &[(&str, &[&str])] = &[
    ("BasicScheduler", &["scheduler", "steps", "denoise"]),
    ("CheckpointLoaderSimple", &["ckpt_name"]),
    ("CLIPLoader", &["clip_name", "type", "device"]),
    ("CLIPSetLastLayer", &["stop_at_clip_layer"]),
    ("CLIPTextEncode", &["text"]),
    ("CLIPVisionLoader", &["clip_name"]),
    ("ConditioningAverage", &["conditioning_to_strength"]),
    ("ControlNetApply", &["strength"]),
    ("ControlNetApplyAdvanced", &["strength", "start_percent", "end_percent"]),
    ("ControlNetLoader", &["control_net_name"]),
    ("DualCLIPLoader", &["clip_name1", "clip_name2", "type", "device"]),
    ("EmptyHunyuanLatentVideo", &["width", "height", "length", "batch_size"]),
    ("EmptyImage", &["width", "height", "batch_size", "color"]),
    ("EmptyLatentImage", &["width", "height", "batch_size"]),
    ("EmptySD3LatentImage", &["width", "height", "batch_size"]),
    ("FluxGuidance", &["guidance"]),
    ("ImageScale", &["upscale_method", "width", "height", "crop"]),
    ("ImageScaleBy", &["upscale_method", "scale_by"]),
    ("KSampler", &["seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"]),
    (
        "KSamplerAdvanced",
        &[
            "add_noise",
            "noise_seed",
            "steps",
            "cfg",
            "sampler_name",
            "scheduler",
            "start_at_step",
            "end_at_step",
            "return_with_leftover_noise",
        ],
    ),
    ("KSamplerSelect", &["sampler_name"]),
    ("LatentUpscale", &["upscale_method", "width", "height", "crop"]),
    ("LatentUpscaleBy", &["upscale_method", "scale_by"]),
    ("LoadImage", &["image", ""]),
    ("LoadImageMask", &["image", "channel", ""]),
    ("LoraLoader", &["lora_name", "strength_model", "strength_clip"]),
    ("LoraLoaderModelOnly", &["lora_name", "strength_model"]),
    ("ModelSamplingFlux", &["max_shift", "base_shift", "width", "height"]),
    ("RandomNoise", &["noise_seed"]),
    ("SaveAnimatedWEBP", &["filename_prefix", "fps", "lossless", "quality", "method"]),
    ("SaveImage", &["filename_prefix"]),
    ("UNETLoader", &["unet_name", "weight_dtype"]),
    ("UpscaleModelLoader", &["model_name"]),
    ("VAEEncodeForInpaint", &["grow_mask_by"]),
    ("VAELoader", &["vae_name"]),
];

/// The inputs of ComfyUI that take fractions; its files have whole numbers for some of their values.
pub(super) const FRACTIONS: &[&str] = &[
    "base_shift",
    "cfg",
    "conditioning_to_strength",
    "denoise",
    "end_percent",
    "fps",
    "guidance",
    "max_shift",
    "scale_by",
    "shift",
    "start_percent",
    "strength",
    "strength_clip",
    "strength_model",
];

/// The words of the widget that follows a seed, which says what the editor does with it after a run.
pub(super) const AFTER_SEED: &[&str] = &["fixed", "increment", "decrement", "randomize"];
