vxorps xmm0, xmm0, xmm0
vxorps xmm1, xmm1, xmm1
vxorps xmm2, xmm2, xmm2
vxorps xmm3, xmm3, xmm3
vxorps xmm4, xmm4, xmm4
vxorps xmm5, xmm5, xmm5
vxorps xmm6, xmm6, xmm6
vxorps xmm7, xmm7, xmm7
vxorps xmm8, xmm8, xmm8
vxorps xmm9, xmm9, xmm9
vxorps xmm10, xmm10, xmm10
vxorps xmm11, xmm11, xmm11
vxorps xmm12, xmm12, xmm12
vxorps xmm13, xmm13, xmm13
add rdi, 124
add rsi, 64
mov r9d, 3
3:
mov eax, 53
.p2align 5
2:
vmovups ymm14, ymmword ptr [rsi - 64]
vbroadcastss ymm15, dword ptr [rdi - 124]
vfmadd231ps ymm0, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 92]
vfmadd231ps ymm1, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 60]
vfmadd231ps ymm2, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 28]
vfmadd231ps ymm3, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 4]
vfmadd231ps ymm4, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 36]
vfmadd231ps ymm5, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 68]
vfmadd231ps ymm6, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 100]
vfmadd231ps ymm7, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 132]
vfmadd231ps ymm8, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 164]
vfmadd231ps ymm9, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 196]
vfmadd231ps ymm10, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 228]
vfmadd231ps ymm11, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 260]
vfmadd231ps ymm12, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 292]
vfmadd231ps ymm13, ymm15, ymm14
vmovups ymm14, ymmword ptr [rsi - 32]
vbroadcastss ymm15, dword ptr [rdi + 296]
vfmadd231ps ymm13, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 264]
vfmadd231ps ymm12, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 232]
vfmadd231ps ymm11, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 200]
vfmadd231ps ymm10, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 168]
vfmadd231ps ymm9, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 136]
vfmadd231ps ymm8, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 104]
vfmadd231ps ymm7, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 72]
vfmadd231ps ymm6, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 40]
vfmadd231ps ymm5, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 8]
vfmadd231ps ymm4, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 24]
vfmadd231ps ymm3, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 56]
vfmadd231ps ymm2, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 88]
vfmadd231ps ymm1, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 120]
vfmadd231ps ymm0, ymm15, ymm14
prefetcht1 byte ptr [r8]
vmovups ymm14, ymmword ptr [rsi]
vbroadcastss ymm15, dword ptr [rdi - 128]
vfmadd231ps ymm0, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 96]
vfmadd231ps ymm1, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 64]
vfmadd231ps ymm2, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi - 32]
vfmadd231ps ymm3, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi]
vfmadd231ps ymm4, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 32]
vfmadd231ps ymm5, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 64]
vfmadd231ps ymm6, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 96]
vfmadd231ps ymm7, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 128]
vfmadd231ps ymm8, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 160]
vfmadd231ps ymm9, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 192]
vfmadd231ps ymm10, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 224]
vfmadd231ps ymm11, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 256]
vfmadd231ps ymm12, ymm15, ymm14
vbroadcastss ymm15, dword ptr [rdi + 288]
vfmadd231ps ymm13, ymm15, ymm14
prefetcht1 byte ptr [r8 + 64]
add rsi, 96
add r8, 126
add rdi, 8
dec eax
jne 2b
add rdi, -544
dec r9d
jne 3b
vaddps ymm0, ymm0, ymmword ptr [rdx]
vaddps ymm0, ymm0, ymmword ptr [rcx + 32]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm0
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm0, ymm14, ymm0
vmovups ymmword ptr [rdx], ymm0
vaddps ymm1, ymm1, ymmword ptr [rdx + 32]
vaddps ymm1, ymm1, ymmword ptr [rcx + 96]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm1
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm1, ymm14, ymm1
vmovups ymmword ptr [rdx + 32], ymm1
vaddps ymm2, ymm2, ymmword ptr [rdx + 64]
vaddps ymm2, ymm2, ymmword ptr [rcx + 160]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm2
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm2, ymm14, ymm2
vmovups ymmword ptr [rdx + 64], ymm2
vaddps ymm3, ymm3, ymmword ptr [rdx + 96]
vaddps ymm3, ymm3, ymmword ptr [rcx + 224]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm3
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm3, ymm14, ymm3
vmovups ymmword ptr [rdx + 96], ymm3
vaddps ymm4, ymm4, ymmword ptr [rdx + 128]
vaddps ymm4, ymm4, ymmword ptr [rcx + 288]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm4
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm4, ymm14, ymm4
vmovups ymmword ptr [rdx + 128], ymm4
vaddps ymm5, ymm5, ymmword ptr [rdx + 160]
vaddps ymm5, ymm5, ymmword ptr [rcx + 352]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm5
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm5, ymm14, ymm5
vmovups ymmword ptr [rdx + 160], ymm5
vaddps ymm6, ymm6, ymmword ptr [rdx + 192]
vaddps ymm6, ymm6, ymmword ptr [rcx + 416]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm6
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm6, ymm14, ymm6
vmovups ymmword ptr [rdx + 192], ymm6
vaddps ymm7, ymm7, ymmword ptr [rdx + 224]
vaddps ymm7, ymm7, ymmword ptr [rcx + 480]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm7
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm7, ymm14, ymm7
vmovups ymmword ptr [rdx + 224], ymm7
vaddps ymm8, ymm8, ymmword ptr [rdx + 256]
vaddps ymm8, ymm8, ymmword ptr [rcx + 544]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm8
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm8, ymm14, ymm8
vmovups ymmword ptr [rdx + 256], ymm8
vaddps ymm9, ymm9, ymmword ptr [rdx + 288]
vaddps ymm9, ymm9, ymmword ptr [rcx + 608]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm9
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm9, ymm14, ymm9
vmovups ymmword ptr [rdx + 288], ymm9
vaddps ymm10, ymm10, ymmword ptr [rdx + 320]
vaddps ymm10, ymm10, ymmword ptr [rcx + 672]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm10
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm10, ymm14, ymm10
vmovups ymmword ptr [rdx + 320], ymm10
vaddps ymm11, ymm11, ymmword ptr [rdx + 352]
vaddps ymm11, ymm11, ymmword ptr [rcx + 736]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm11
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm11, ymm14, ymm11
vmovups ymmword ptr [rdx + 352], ymm11
vaddps ymm12, ymm12, ymmword ptr [rdx + 384]
vaddps ymm12, ymm12, ymmword ptr [rcx + 800]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm12
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm12, ymm14, ymm12
vmovups ymmword ptr [rdx + 384], ymm12
vaddps ymm13, ymm13, ymmword ptr [rdx + 416]
vaddps ymm13, ymm13, ymmword ptr [rcx + 864]
mov eax, 0x40400000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vaddps ymm14, ymm15, ymm13
vxorps xmm15, xmm15, xmm15
vmaxps ymm14, ymm15, ymm14
mov eax, 0x40c00000
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vminps ymm14, ymm15, ymm14
mov eax, 0x3e2aaaab
vmovd xmm15, eax
vbroadcastss ymm15, xmm15
vmulps ymm14, ymm15, ymm14
vmulps ymm13, ymm14, ymm13
vmovups ymmword ptr [rdx + 416], ymm13
vzeroupper
ret
