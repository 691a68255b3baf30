// Whether this browser has a device for WebGPU.
export const hasWebGpu = async () => Boolean(await navigator.gpu?.requestAdapter());
