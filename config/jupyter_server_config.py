"""Jupyter's server settings for the course; `course.py lab` uses this folder, and options given to it win."""

from pathlib import Path

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.services.kernels import websocket

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# Send every message of a kernel at once. Without this, small messages wait for the answer to the one
# before (Nagle's algorithm), and sliders that ask the kernel feel slow.
_open = websocket.KernelWebsocketHandler.open


async def _open_without_delay(self, kernel_id):
    self.set_nodelay(True)
    return await _open(self, kernel_id)


websocket.KernelWebsocketHandler.open = _open_without_delay


class CourseContents(AsyncLargeFileManager):
    """Opens a notebook that has no kernel with pictures in the place of its sliders.

    A saved notebook names its live sliders, and JupyterLab prefers those to the stored pictures. Without
    the kernel they are gone, and all that would show is "model not found".
    """

    async def get(self, path, content=True, **options):
        model = await super().get(path, content, **options)
        if content and model["type"] == "notebook" and not await self._has_kernel(path):
            for cell in model["content"]["cells"]:
                for output in cell.get("outputs", []):
                    output.get("data", {}).pop(WIDGET_VIEW, None)
        return model

    async def _has_kernel(self, path):
        sessions = await self.parent.session_manager.list_sessions()
        return path.strip("/") in [session["path"].strip("/") for session in sessions]


c.ServerApp.contents_manager_class = CourseContents  # noqa: F821 (Jupyter provides c)
c.ServerApp.root_dir = str(Path(__file__).resolve().parent.parent)  # noqa: F821
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
# The kernel's messages are encrypted: without this ipykernel warns at every start that they are not.
c.KernelManager.transport_encryption = "auto"  # noqa: F821
