//! Every kernel translates to each of the languages that GPUs are programmed in: SPIR-V for
//! Vulkan, MSL for Metal, HLSL for DX12.

use legato::engine::gpu::Source;
use naga::back::{hlsl, msl, pipeline_constants, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage};
use std::error::Error;
use std::fmt::Write;

/// A value that makes sense for each kernel constant, with kernels so many pixels wide.
fn constant(name: &str, kernel: u32) -> f64 {
    match name {
        "LANES" => 8.0,
        "TILES" | "GROUPS" => 2.0,
        "KH" | "KW" => f64::from(kernel),
        "PAD_TOP" | "PAD_LEFT" | "OPERATION" | "EPILOGUE" => 1.0,
        _ => 16.0,
    }
}

fn validator() -> Validator {
    Validator::new(ValidationFlags::all(), Capabilities::all())
}

/// The kernel as a pipeline sees it: parsed, its constants set but for those that follow from others, validated.
fn specialised(source: &Source, kernel: u32) -> Result<(Module, ModuleInfo), Box<dyn Error>> {
    let text = source.text();
    let module = naga::front::wgsl::parse_str(&text).map_err(|e| e.emit_to_string(&text))?;
    let info = validator().validate(&module).map_err(|e| e.emit_to_string(&text))?;
    let constants = module
        .overrides
        .iter()
        .filter(|(_, o)| o.init.is_none())
        .filter_map(|(_, o)| o.name.clone())
        .map(|n| (n.clone(), constant(&n, kernel)))
        .collect();
    let entry = Some((ShaderStage::Compute, "main"));
    let (module, info) = pipeline_constants::process_overrides(&module, &info, entry, &constants)?;
    Ok((module.into_owned(), info.into_owned()))
}

/// The error and all its causes.
fn explain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn every_kernel(translate: impl Fn(&Module, &ModuleInfo) -> Result<usize, Box<dyn Error>>) {
    let kernels = legato::engine::ops::kernels();
    assert!(kernels.len() > 10);
    for (source, kernel) in kernels.iter().flat_map(|source| [2, 3, 4].map(|kernel| (source, kernel))) {
        let (module, info) = specialised(source, kernel)
            .unwrap_or_else(|e| panic!("{}: {}", source.name, explain(e.as_ref())));
        let length =
            translate(&module, &info).unwrap_or_else(|e| panic!("{}: {}", source.name, explain(e.as_ref())));
        assert!(length > 100, "{}: only {length} words came out", source.name);
    }
}

#[test]
fn every_kernel_translates_to_spirv() {
    every_kernel(|module, info| {
        let options = spv::Options { lang_version: (1, 3), ..Default::default() };
        Ok(spv::write_vec(module, info, &options, None)?.len())
    });
}

#[test]
fn every_kernel_translates_to_msl() {
    every_kernel(|module, info| {
        let resources = msl::EntryPointResources {
            immediates_buffer: Some(30),
            sizes_buffer: Some(29),
            ..Default::default()
        };
        let options = msl::Options {
            lang_version: (2, 4),
            per_entry_point_map: [("main".to_owned(), resources)].into(),
            ..Default::default()
        };
        Ok(msl::write_string(module, info, &options, &Default::default())?.0.len())
    });
}

#[test]
fn every_kernel_translates_to_hlsl() {
    let target = |register| hlsl::BindTarget { space: 1, register, ..Default::default() };
    every_kernel(|module, info| {
        let options = hlsl::Options {
            shader_model: hlsl::ShaderModel::V6_0,
            immediates_target: Some(target(0)),
            special_constants_binding: Some(target(1)),
            ..Default::default()
        };
        let mut text = String::new();
        hlsl::Writer::new(&mut text, &options, &Default::default()).write(module, info, None)?;
        Ok(text.len())
    });
}

/// Kernels of the unit tests alone.
const FOR_TESTS: [&str; 1] = ["philox_words.wgsl"];

#[test]
fn every_file_of_the_shaders_folder_belongs_to_a_kernel() {
    let used: Vec<&str> =
        legato::engine::ops::kernels().iter().flat_map(|k| k.parts.iter().copied()).collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    for file in std::fs::read_dir(folder).expect("the shaders folder") {
        let path = file.expect("a readable folder").path();
        if FOR_TESTS.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable shader");
        assert!(used.contains(&text.as_str()), "{} is in no kernel's parts", path.display());
    }
}
