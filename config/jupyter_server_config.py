"""Jupyter's server settings for the course; `course.py lab` uses this folder, and options given to it win."""

from pathlib import Path

from jupyter_server.services.kernels import websocket

# Send every message of a kernel at once. Without this, small messages wait for the answer to the one
# before (Nagle's algorithm), and sliders that ask the kernel feel slow.
_open = websocket.KernelWebsocketHandler.open


async def _open_without_delay(self, kernel_id):
    self.set_nodelay(True)
    return await _open(self, kernel_id)


websocket.KernelWebsocketHandler.open = _open_without_delay

c.ServerApp.root_dir = str(Path(__file__).resolve().parent.parent)  # noqa: F821
# What JupyterLab shows of a folded output: see custom/custom.css.
custom = str(Path(__file__).resolve().parent / "custom")
c.ServerApp.tornado_settings = {"static_custom_path": [custom]}  # noqa: F821
c.LabApp.custom_css = True  # noqa: F821
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
# The kernel's messages are encrypted: without this ipykernel warns at every start that they are not.
c.KernelManager.transport_encryption = "auto"  # noqa: F821
