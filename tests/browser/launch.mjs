// Starts Debian's Chromium (`CHROMIUM` names another) with a WAV file for its microphone.

import { chromium } from "playwright-core";

export const launch = (microphone) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${microphone}`,
      "--autoplay-policy=no-user-gesture-required",
      "--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,LocalNetworkAccessChecksWebRTC",
      "--allow-loopback-in-peer-connection",
      "--ignore-certificate-errors",
      "--disable-background-networking",
      "--disable-component-update",
    ],
  });
